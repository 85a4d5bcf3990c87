//! Addresses as places in what a process has mapped.

/// What a process has mapped, so that an address can be said as a place in it.
#[derive(Default)]
pub struct Regions(Vec<(u64, u64)>);

impl Regions {
    /// Notes what a call has mapped.
    pub fn add(&mut self, start: u64, length: u64) {
        self.0.push((start, length.next_multiple_of(4096)));
    }

    /// The last region with the address in it, and how far; else just that there was an address.
    pub fn name(&self, address: u64) -> String {
        let found = self
            .0
            .iter()
            .enumerate()
            .rev()
            .find(|(_, (start, length))| (*start..start + length).contains(&address));
        match found {
            Some((n, (start, _))) if *start == address => format!("MAP{}", n + 1),
            Some((n, (start, _))) => format!("MAP{}+{:#x}", n + 1, address - start),
            None => "ADDRESS".to_owned(),
        }
    }
}

/// An address as strace writes it.
pub fn number(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0)
}

/// The length of what a call has mapped.
pub fn length(line: &str) -> u64 {
    let argument = if line.starts_with("mremap") { 2 } else { 1 };
    line.split(", ")
        .nth(argument)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
