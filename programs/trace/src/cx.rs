//! What a decoder works with: one system call of one tracee, and the text so far.

use std::fmt::Write as _;

use bytemuck::Pod;
use libtrace::Errno;

use crate::quote::{self, Style};

/// A tracee's memory.
pub trait Memory {
    /// Reads up to `buffer.len()` bytes at `addr`, and returns how many were there.
    fn read(&self, addr: u64, buffer: &mut [u8]) -> usize;
    /// The tracee's stack pointer in the present stop.
    fn stack_pointer(&self) -> u64;
}

/// A system call being printed, at its entry or at its exit.
pub struct Cx<'a> {
    /// What has been printed in this stop.
    pub text: String,
    /// The arguments as they were at the entry.
    pub args: [u64; 6],
    /// The result; `None` at the entry.
    pub outcome: Option<Result<i64, Errno>>,
    /// How much of a string to print: `-s`.
    pub limit: usize,
    /// The tracee's memory.
    pub memory: &'a dyn Memory,
}

impl Cx<'_> {
    /// The call has come back with an error.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }

    /// The result, or 0 where there is none.
    pub fn returned(&self) -> u64 {
        match self.outcome {
            Some(Ok(value)) => value as u64,
            _ => 0,
        }
    }

    /// Prints `text`.
    pub fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints `value` in decimal.
    pub fn int(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.text, "{value}");
    }

    /// Prints `value` in hexadecimal, zero as `0`.
    pub fn hex(&mut self, value: u64) {
        let _ = match value {
            0 => write!(self.text, "0"),
            _ => write!(self.text, "{value:#x}"),
        };
    }

    /// Prints an address.
    pub fn addr(&mut self, addr: u64) {
        match addr {
            0 => self.put("NULL"),
            _ => self.hex(addr),
        }
    }

    /// Prints `value` in octal with a leading zero and at least three digits, as modes are.
    pub fn mode(&mut self, value: u64) {
        let _ = write!(self.text, "0{value:02o}");
    }

    /// Reads a value of the tracee's memory; `None` where not all of it is there.
    pub fn load<T: Pod>(&self, addr: u64) -> Option<T> {
        let mut value = T::zeroed();
        if addr == 0 {
            return None;
        }
        let bytes = bytemuck::bytes_of_mut(&mut value);
        let wanted = bytes.len();
        (self.memory.read(addr, bytes) == wanted).then_some(value)
    }

    /// Reads `count` values; `None` where not all of them are there.
    pub fn load_array<T: Pod>(&self, addr: u64, count: usize) -> Option<Vec<T>> {
        let mut values = vec![T::zeroed(); count];
        if addr == 0 {
            return None;
        }
        let bytes = bytemuck::cast_slice_mut(&mut values);
        let wanted = bytes.len();
        (self.memory.read(addr, bytes) == wanted).then_some(values)
    }

    /// Reads a value and prints it with `print`; prints the address where there is no
    /// value, because the call failed or the address is not readable.
    pub fn out<T: Pod>(&mut self, addr: u64, print: impl FnOnce(&mut Self, &T)) {
        match self.load(addr) {
            Some(value) if !self.failed() => print(self, &value),
            _ => self.addr(addr),
        }
    }

    /// As [`out`](Self::out), for what the call reads.
    pub fn given<T: Pod>(&mut self, addr: u64, print: impl FnOnce(&mut Self, &T)) {
        match self.load(addr) {
            Some(value) => print(self, &value),
            None => self.addr(addr),
        }
    }

    /// Prints an array of at most `-s` elements in brackets; its address where it cannot
    /// be read.
    pub fn array<T: Pod>(&mut self, addr: u64, count: usize, print: impl Fn(&mut Self, &T)) {
        if addr != 0 && count == 0 {
            return self.put("[]");
        }
        let shown = count.min(self.limit);
        let Some(values) = self.load_array::<T>(addr, shown) else {
            return self.addr(addr);
        };
        self.put("[");
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            print(self, value);
        }
        self.put(if shown < count { ", ...]" } else { "]" });
    }

    /// Prints `length` bytes at `addr`, at most `-s` of them.
    pub fn bytes(&mut self, addr: u64, length: u64, style: Style) {
        let shown = length.min(self.limit as u64) as usize;
        let mut bytes = vec![0; shown];
        if addr == 0 || self.memory.read(addr, &mut bytes) != shown {
            return self.addr(addr);
        }
        quote::quote(&mut self.text, &bytes, style);
        if length > shown as u64 {
            self.put("...");
        }
    }

    /// Prints the string at `addr`, at most `-s` bytes of it.
    pub fn string(&mut self, addr: u64) {
        self.terminated(addr, self.limit);
    }

    /// Prints the path at `addr`, all of it.
    pub fn path(&mut self, addr: u64) {
        self.terminated(addr, 4095);
    }

    fn terminated(&mut self, addr: u64, limit: usize) {
        match self.load_string(addr, limit) {
            Some((bytes, whole)) => {
                quote::quote(&mut self.text, &bytes, Style::Octal);
                if !whole {
                    self.put("...");
                }
            }
            None => self.addr(addr),
        }
    }

    /// Reads up to `limit` bytes of a string; the flag says that this was all of it.
    /// `None` where it runs into unreadable memory before either end.
    pub fn load_string(&self, addr: u64, limit: usize) -> Option<(Vec<u8>, bool)> {
        /// Most strings are short, and one read to the end of the page is always whole.
        const CHUNK: u64 = 256;
        const PAGE: u64 = 4096;
        let mut bytes = Vec::new();
        if addr == 0 {
            return None;
        }
        loop {
            let at = addr.wrapping_add(bytes.len() as u64);
            let wanted = CHUNK
                .min(PAGE - at % PAGE)
                .min((limit + 1 - bytes.len()) as u64);
            let mut chunk = [0; CHUNK as usize];
            let chunk = &mut chunk[..wanted as usize];
            if self.memory.read(at, chunk) != chunk.len() {
                return None;
            }
            if let Some(end) = chunk.iter().position(|&byte| byte == 0) {
                bytes.extend_from_slice(&chunk[..end]);
                return Some((bytes, true));
            }
            bytes.extend_from_slice(chunk);
            if bytes.len() > limit {
                bytes.truncate(limit);
                return Some((bytes, false));
            }
        }
    }
}
