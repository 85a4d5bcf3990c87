//! What only lldb asks (lldb's docs, "LLDB GDB Remote Protocol Extensions").

use std::fs;

use libtrace::Errno;

use super::{Answer, Session};
use crate::packet::hex;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

impl Session {
    /// What machine this is.
    pub(super) fn host_info() -> String {
        let triple = hex::encode(TRIPLE.as_bytes());
        format!("triple:{triple};ostype:linux;endian:little;ptrsize:8;")
    }

    /// What the selected process is.
    pub(super) fn process_info(&self) -> Answer {
        match self.target.process(self.selected.pid) {
            Some(process) => Answer::text(format!("pid:{:x};{}", process.pid, Self::host_info())),
            None => Answer::Error(Errno::ESRCH),
        }
    }

    /// The mapping that an address belongs to, or the gap between mappings.
    pub(super) fn memory_region(&self, addr: u64) -> Answer {
        let path = format!("/proc/{}/maps", self.selected.pid);
        match fs::read_to_string(path) {
            Ok(maps) => Answer::text(region(&maps, addr)),
            Err(_) => Answer::Error(Errno::ESRCH),
        }
    }
}

fn region(maps: &str, addr: u64) -> String {
    let mut gap = 0;
    for line in maps.lines() {
        let Some((start, end, rest)) = mapping(line) else {
            continue;
        };
        if addr < start {
            return format!("start:{gap:x};size:{:x};", start - gap);
        }
        if addr < end {
            let permissions: String = rest.chars().take(3).filter(|it| *it != '-').collect();
            let mut text = format!(
                "start:{start:x};size:{:x};permissions:{permissions};",
                end - start
            );
            if let Some(name) = rest.split_ascii_whitespace().nth(4) {
                text += &format!("name:{};", hex::encode(name.as_bytes()));
            }
            return text;
        }
        gap = end;
    }
    format!("start:{gap:x};size:{:x};", u64::MAX - gap)
}

/// A line of /proc/PID/maps: where it begins and ends, and what follows.
fn mapping(line: &str) -> Option<(u64, u64, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text: &str| hex::number(text.as_bytes());
    Some((number(start)?, number(end)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_and_gaps() {
        let maps = "00400000-00401000 r--p 00000000 00:01 5 /bin/x\n\
                    00401000-00403000 rw-p 00000000 00:00 0\n";
        assert_eq!(region(maps, 0x10), "start:0;size:400000;");
        let first = "start:400000;size:1000;permissions:r;name:2f62696e2f78;";
        assert_eq!(region(maps, 0x400fff), first);
        let second = "start:401000;size:2000;permissions:rw;";
        assert_eq!(region(maps, 0x401000), second);
        assert!(region(maps, 0x403000).starts_with("start:403000;"));
    }
}
