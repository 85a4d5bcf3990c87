//! The list of threads, with their names.

use std::fmt::Write;
use std::fs;

use crate::packet::{Choice, ThreadId};
use crate::target::Target;

/// The list (gdb manual, "Thread List Format").
pub fn list(target: &Target, multiprocess: bool) -> Vec<u8> {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<threads>\n");
    for task in target.tasks() {
        let id = ThreadId {
            process: multiprocess.then_some(Choice::One(task.process)),
            thread: Choice::One(task.tid),
        };
        let path = format!("/proc/{}/task/{}/comm", task.process, task.tid);
        let name = fs::read(path).unwrap_or_default();
        let name = String::from_utf8_lossy(&name);
        let _ = write!(xml, "<thread id=\"{id}\" name=\"");
        escape_into(&mut xml, name.trim_end());
        xml.push_str("\"/>\n");
    }
    xml.push_str("</threads>\n");
    xml.into_bytes()
}

/// Appends text as the value of an attribute.
pub fn escape_into(xml: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            letter if letter.is_control() => xml.push('?'),
            letter => xml.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_list() {
        let mut xml = String::new();
        escape_into(&mut xml, "a<\"&'>\x01é");
        assert_eq!(xml, "a&lt;&quot;&amp;&apos;&gt;?é");
    }
}
