//! Taking a packet's words apart.

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// All of `bytes` is left.
    pub fn new(bytes: &'a [u8]) -> Self {
        Words(bytes)
    }

    /// The word before the next `separator`, which is taken, too; none without one.
    pub fn before(&mut self, separator: u8) -> Option<&'a [u8]> {
        let at = self.0.iter().position(|byte| *byte == separator)?;
        let word = &self.0[..at];
        self.0 = &self.0[at + 1..];
        Some(word)
    }

    /// Everything that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The two words around the first `separator`.
    pub fn pair(mut self, separator: u8) -> Option<(&'a [u8], &'a [u8])> {
        let first = self.before(separator)?;
        Some((first, self.rest()))
    }
}
