//! A script: commands for a debugger, with what they need said in comments at the top.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::server::Server;

/// A script.
pub struct Script {
    /// Its file's name without the end.
    pub name: String,
    /// Its commands.
    pub text: String,
    /// The program that it debugs: `# program: NAME`.
    pub program: String,
    /// The debugger that it is for, by the end of its file's name.
    pub debugger: Debugger,
    /// `# symbols: target`: the debugger finds the program by itself.
    symbols_from_target: bool,
    /// `# first: COMMAND`: what comes before gdb connects.
    first: Vec<String>,
    /// `# waits for events`: what it does is not in its lines but happens at stops, and one of them is its end.
    pub waits: bool,
}

/// A debugger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debugger {
    /// `.gdb`
    Gdb,
    /// `.lldb`
    Lldb,
}

impl Debugger {
    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb",
            Debugger::Lldb => "lldb",
        }
    }

    /// So that nothing but its script has a say.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Debugger::Gdb => &["-nx", "-q"],
            // From its standard input it takes the next command before the last one is over.
            Debugger::Lldb => &[
                "--no-lldbinit",
                "--no-use-colors",
                "--batch",
                "--source",
                "/dev/stdin",
            ],
        }
    }
}

impl Debugger {
    /// How a script ends: nothing is left to debug, and gdb does not end the way it does at the end of its input, where some errors make it
    /// try again for ever.
    pub fn end(self) -> &'static str {
        match self {
            Debugger::Gdb => {
                "set trace-commands off\npython\nimport os\nfor it in gdb.inferiors():\n    try:\n        \
                 gdb.execute(\"kill inferiors %d\" % it.num, to_string=True)\n    except gdb.error:\n        pass\ngdb.flush()\nos._exit(0)\nend\n"
            }
            Debugger::Lldb => "quit\n",
        }
    }
}

/// All scripts of a folder, in the order of their names: some begin where the one before ended.
pub fn all(folder: &Path) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let debugger = match path.extension().and_then(|it| it.to_str()) {
            Some("gdb") => Debugger::Gdb,
            Some("lldb") => Debugger::Lldb,
            _ => continue,
        };
        let name = path.file_stem().and_then(|it| it.to_str());
        let text = fs::read_to_string(&path)?;
        scripts.push(parse(name.context("a script has a name")?, text, debugger)?);
    }
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scripts)
}

fn parse(name: &str, text: String, debugger: Debugger) -> Result<Script> {
    let said = |what: &str| {
        let mut comments = text.lines().filter_map(|line| line.strip_prefix("# "));
        let found = comments.find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
        found.map(str::to_owned)
    };
    Ok(Script {
        name: name.to_owned(),
        program: said("program").with_context(|| format!("{name}: no program"))?,
        debugger,
        symbols_from_target: said("symbols").is_some(),
        first: text
            .lines()
            .filter_map(|line| line.strip_prefix("# first: "))
            .map(|command| format!("{command}\n"))
            .collect(),
        waits: text.lines().any(|line| line == "# waits for events"),
        text,
    })
}

impl Script {
    /// The script's own commands. lldb has no words of our own: where `connect` is, its own command is put.
    pub fn commands(&self, server: &Server) -> String {
        match self.debugger {
            Debugger::Gdb => self.text.clone(),
            Debugger::Lldb => {
                let connect = format!("gdb-remote {}", server.address());
                let lines = self.text.lines().filter(|line| !line.starts_with('#'));
                let lines = lines.map(|line| if line == "connect" { &connect } else { line });
                lines.map(|line| format!("{line}\n")).collect()
            }
        }
    }

    /// The commands before the script's own. `programs` has the programs on this machine, `program` is this script's for the server, and
    /// `here` a folder for files.
    pub fn prelude(&self, programs: &Path, program: &str, here: &Path, server: &Server) -> String {
        let local = programs.join(&self.program);
        let (local, here, address) = (local.display(), here.display(), server.address());
        match self.debugger {
            Debugger::Gdb => {
                let file = if !self.symbols_from_target {
                    format!("file {local}\n")
                } else {
                    String::new()
                };
                let there = server.scratch();
                let first = self.first.concat();
                format!(
                    "set pagination off\nset confirm off\nset width 0\nset height 0\nset style enabled off\nset debuginfod enabled off\nset debug-file-directory\n\
                     set print thread-events off\nset print inferior-events off\nset startup-with-shell off\n\
                     set $here = \"{here}\"\nset $there = \"{there}\"\nset $program = \"{program}\"\n\
                     define connect\ntarget extended-remote {address}\nend\n\
                     {first}{file}set remote exec-file {program}\nconnect\nset trace-commands on\n"
                )
            }
            Debugger::Lldb => format!("target create {local}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_what_it_needs() {
        let text = "# What it is about.\n# program: basics\n# symbols: target\nrun\n";
        let script = parse("x", text.into(), Debugger::Gdb).unwrap();
        assert_eq!(script.program, "basics");
        assert!(script.symbols_from_target);
        assert!(parse("x", "run\n".into(), Debugger::Gdb).is_err());
    }
}
