//! The line discipline (termios(3)): what comes from the keyboard becomes lines, echoes and
//! signals, and what programs write becomes what is shown.

use super::termios::*;
use abi::signal::{SIGINT, SIGQUIT, SIGTSTP};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The longest line that is edited (termios(3), "Canonical and noncanonical mode").
const MAX_LINE: usize = 4095;
/// The most bytes that are kept for readers.
const MAX_READY: usize = 65536;

/// The state of one terminal's line discipline.
#[derive(Clone, Default, Hash)]
pub(crate) struct Line {
    pub termios: Termios,
    /// The line that is being edited.
    line: Vec<u8>,
    /// What can be read.
    ready: VecDeque<u8>,
    /// In canonical mode, where the lines in it end; an empty one is an end of file.
    ends: VecDeque<usize>,
    /// VLNEXT came: the next byte is a plain one.
    literal: bool,
    /// How often something could be read anew.
    pub activity: u64,
}

impl Line {
    /// A byte comes in. What is to be shown goes to `echo`; a signal for the foreground is
    /// returned.
    pub fn receive(&mut self, byte: u8, echo: &mut Vec<u8>) -> Option<u8> {
        let termios = self.termios;
        if core::mem::take(&mut self.literal) {
            self.take(byte, echo);
            return None;
        }
        let byte = match byte {
            b'\r' if termios.input & IGNCR != 0 => return None,
            b'\r' if termios.input & ICRNL != 0 => b'\n',
            b'\n' if termios.input & INLCR != 0 => b'\r',
            byte => byte,
        };
        if termios.input & IXON != 0 && (termios.is(VSTART, byte) || termios.is(VSTOP, byte)) {
            return None;
        }
        if termios.local(ISIG) {
            let signals = [(VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)];
            let signal = signals.iter().find(|(which, _)| termios.is(*which, byte));
            if let Some(&(_, signal)) = signal {
                if !termios.local(NOFLSH) {
                    self.flush();
                }
                self.show(byte, echo);
                return Some(signal);
            }
        }
        if termios.local(ICANON) {
            self.edit(byte, echo);
        } else {
            self.take(byte, echo);
        }
        None
    }

    fn edit(&mut self, byte: u8, echo: &mut Vec<u8>) {
        let termios = self.termios;
        if termios.is(VERASE, byte) {
            self.erase(echo);
        } else if termios.is(VKILL, byte) {
            while !self.line.is_empty() {
                self.erase(echo);
            }
            if termios.local(ECHOK) && !termios.local(ECHOE) && termios.local(ECHO) {
                echo.push(b'\n');
            }
        } else if termios.is(VWERASE, byte) && termios.local(IEXTEN) {
            while self.line.last().is_some_and(|b| b.is_ascii_whitespace()) {
                self.erase(echo);
            }
            while self.line.last().is_some_and(|b| !b.is_ascii_whitespace()) {
                self.erase(echo);
            }
        } else if termios.is(VLNEXT, byte) && termios.local(IEXTEN) {
            self.literal = true;
            if termios.local(ECHO) && termios.local(ECHOCTL) {
                echo.extend_from_slice(b"^\x08");
            }
        } else if termios.is(VEOF, byte) {
            self.end_line();
        } else if byte == b'\n' || termios.is(VEOL, byte) || termios.is(VEOL2, byte) {
            if byte == b'\n' && (termios.local(ECHO) || termios.local(ECHONL)) {
                echo.push(b'\n');
            } else {
                self.show(byte, echo);
            }
            self.line.push(byte);
            self.end_line();
        } else {
            self.take(byte, echo);
        }
    }

    /// A plain byte.
    fn take(&mut self, byte: u8, echo: &mut Vec<u8>) {
        if self.termios.local(ICANON) {
            if self.line.len() < MAX_LINE {
                self.line.push(byte);
                self.show(byte, echo);
            }
        } else if self.ready.len() < MAX_READY {
            self.ready.push_back(byte);
            self.activity += 1;
            self.show(byte, echo);
        }
    }

    fn end_line(&mut self) {
        if self.ready.len() + self.line.len() <= MAX_READY {
            self.ends.push_back(self.line.len());
            self.ready.extend(self.line.drain(..));
            self.activity += 1;
        }
    }

    fn show(&self, byte: u8, echo: &mut Vec<u8>) {
        if !self.termios.local(ECHO) {
            return;
        }
        if self.is_shown_as_two(byte) {
            echo.extend_from_slice(&[b'^', byte ^ 0x40]);
        } else {
            echo.push(byte);
        }
    }

    fn is_shown_as_two(&self, byte: u8) -> bool {
        let control = (byte < 32 && byte != b'\t' && byte != b'\n') || byte == 127;
        self.termios.local(ECHOCTL) && control
    }

    fn erase(&mut self, echo: &mut Vec<u8>) {
        let Some(byte) = self.line.pop() else { return };
        if !self.termios.local(ECHO) || !self.termios.local(ECHOE) {
            return self.show(self.termios.chars[VERASE], echo);
        }
        // A character of UTF-8 goes as a whole, and takes one column.
        if byte & 0xc0 == 0x80 {
            while self.line.last().is_some_and(|b| b & 0xc0 == 0x80) {
                self.line.pop();
            }
            self.line.pop();
        }
        let columns = if self.is_shown_as_two(byte) { 2 } else { 1 };
        for _ in 0..columns {
            echo.extend_from_slice(b"\x08 \x08");
        }
    }

    /// Forgets everything that nobody has read.
    pub fn flush(&mut self) {
        self.line.clear();
        self.ready.clear();
        self.ends.clear();
    }

    /// Changes the settings. What is there stays, as one line if it is read by lines from now on.
    pub fn set(&mut self, termios: Termios) {
        let was = self.termios.local(ICANON);
        self.termios = termios;
        if was && !termios.local(ICANON) {
            self.ready.extend(self.line.drain(..));
            self.ends.clear();
        } else if !was && termios.local(ICANON) && !self.ready.is_empty() {
            self.ends.push_back(self.ready.len());
        }
    }

    /// How many bytes a read of `most` gets now; none if it has to wait.
    pub fn available(&self, most: usize) -> Option<usize> {
        if self.termios.local(ICANON) {
            return self.ends.front().map(|&end| end.min(most));
        }
        let least = usize::from(self.termios.chars[VMIN]);
        let enough = self.ready.len() >= least.min(most);
        // With a time to wait but no least count, the caller waits.
        let waits = self.ready.is_empty() && least == 0 && self.termios.chars[VTIME] > 0;
        (enough && !waits).then(|| self.ready.len().min(most))
    }

    /// How long a read waits for its first byte, in nanoseconds.
    pub fn patience(&self) -> Option<u64> {
        let chars = &self.termios.chars;
        let timed = !self.termios.local(ICANON) && chars[VMIN] == 0 && chars[VTIME] > 0;
        timed.then(|| u64::from(chars[VTIME]) * 100_000_000)
    }

    /// Whether poll(2) calls it readable.
    pub fn readable(&self) -> bool {
        if self.termios.local(ICANON) {
            return !self.ends.is_empty();
        }
        let least = match self.termios.chars[VTIME] {
            0 => usize::from(self.termios.chars[VMIN]).max(1),
            _ => 1,
        };
        self.ready.len() >= least
    }

    /// How many more bytes can be kept for readers.
    pub fn room(&self) -> usize {
        MAX_READY - self.ready.len()
    }

    /// How many bytes FIONREAD tells of.
    pub fn unread(&self) -> usize {
        match self.termios.local(ICANON) {
            true => self.ends.front().copied().unwrap_or(0),
            false => self.ready.len(),
        }
    }

    /// What a read gets next, without taking it.
    pub fn peek(&self, count: usize) -> Vec<u8> {
        self.ready.iter().take(count).copied().collect()
    }

    /// A read has got so many bytes.
    pub fn took(&mut self, count: usize) {
        self.ready.drain(..count);
        if let Some(end) = self.ends.front_mut() {
            *end -= count;
            if *end == 0 {
                self.ends.pop_front();
            }
        }
    }

    /// What is shown for what a program writes.
    pub fn shown(&self, bytes: &[u8]) -> Vec<u8> {
        let output = self.termios.output;
        if output & OPOST == 0 {
            return bytes.to_vec();
        }
        let mut shown = Vec::with_capacity(bytes.len() + 16);
        for &byte in bytes {
            match byte {
                b'\n' if output & ONLCR != 0 => shown.extend_from_slice(b"\r\n"),
                b'\r' if output & OCRNL != 0 => shown.push(b'\n'),
                byte => shown.push(byte),
            }
        }
        shown
    }
}
