//! `monitor`: commands that a user types for this program.

use std::fmt::Write;

use super::{Answer, Session};
use crate::packet::hex;

const HELP: &str = "The commands are:\n\
  help     this text\n\
  version  which program this is\n\
  status   what is debugged, and what it does\n\
  exit     lets everything go and ends this program\n";

impl Session {
    pub(super) fn monitor(&mut self, command: &str) -> Answer {
        let text = match command.trim() {
            "help" | "" => HELP.to_owned(),
            "version" => format!("Stillpoint gdbserver {}\n", env!("CARGO_PKG_VERSION")),
            "status" => self.status(),
            "exit" => {
                self.let_go();
                self.over = true;
                "Everything has been let go.\n".to_owned()
            }
            other => format!("There is no command \"{other}\"; \"help\" names those there are.\n"),
        };
        Answer::text(hex::encode(text.as_bytes()))
    }

    fn status(&self) -> String {
        let mut text = String::new();
        for process in self.target.processes() {
            let _ = writeln!(text, "process {}", process.pid);
            for task in self.target.tasks_of(process.pid) {
                let does = if task.is_stopped() {
                    "stopped"
                } else {
                    "running"
                };
                let _ = writeln!(text, "  thread {} {does}", task.tid);
            }
        }
        if text.is_empty() {
            text.push_str("Nothing is debugged.\n");
        }
        text
    }
}
