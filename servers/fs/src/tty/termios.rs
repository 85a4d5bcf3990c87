//! The settings of a terminal (termios(3)).

// Linux's asm-generic/termbits.h.
pub(super) const IGNCR: u32 = 0o200;
pub(super) const ICRNL: u32 = 0o400;
pub(super) const INLCR: u32 = 0o100;
pub(super) const IXON: u32 = 0o2000;
pub(super) const OPOST: u32 = 1;
pub(super) const ONLCR: u32 = 4;
pub(super) const OCRNL: u32 = 8;
pub(super) const ISIG: u32 = 1;
pub(super) const ICANON: u32 = 2;
pub(super) const ECHO: u32 = 0o10;
pub(super) const ECHOE: u32 = 0o20;
pub(super) const ECHOK: u32 = 0o40;
pub(super) const ECHONL: u32 = 0o100;
pub(super) const NOFLSH: u32 = 0o200;
pub(super) const TOSTOP: u32 = 0o400;
pub(super) const ECHOCTL: u32 = 0o1000;
pub(super) const IEXTEN: u32 = 0o100000;

pub(super) const VINTR: usize = 0;
pub(super) const VQUIT: usize = 1;
pub(super) const VERASE: usize = 2;
pub(super) const VKILL: usize = 3;
pub(super) const VEOF: usize = 4;
pub(super) const VTIME: usize = 5;
pub(super) const VMIN: usize = 6;
pub(super) const VSTART: usize = 8;
pub(super) const VSTOP: usize = 9;
pub(super) const VSUSP: usize = 10;
pub(super) const VEOL: usize = 11;
pub(super) const VWERASE: usize = 14;
pub(super) const VLNEXT: usize = 15;
pub(super) const VEOL2: usize = 16;

/// struct termios.
#[derive(Clone, Copy, Hash)]
pub(crate) struct Termios {
    pub input: u32,
    pub output: u32,
    pub control: u32,
    pub local: u32,
    pub line: u8,
    pub chars: [u8; 19],
}

/// How many bytes struct termios has.
pub(crate) const SIZE: usize = 36;

impl Default for Termios {
    /// What a Linux terminal starts with: ICRNL and IXON; OPOST and ONLCR; 38400 baud, eight
    /// bits, CREAD; echo, canonical input and signals; and the usual control characters.
    fn default() -> Termios {
        let mut chars = [0; 19];
        chars[..17]
            .copy_from_slice(&[3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0]);
        Termios {
            input: 0x500,
            output: 0x5,
            control: 0xbf,
            local: 0x8a3b,
            line: 0,
            chars,
        }
    }
}

impl Termios {
    /// As cfmakeraw(3) leaves them: bytes come and go as they are.
    pub fn raw() -> Termios {
        Termios {
            input: 0,
            output: 0,
            local: 0,
            ..Termios::default()
        }
    }

    pub fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let flags = [self.input, self.output, self.control, self.local];
        for (to, flag) in bytes.chunks_exact_mut(4).zip(flags) {
            to.copy_from_slice(&flag.to_le_bytes());
        }
        bytes[16] = self.line;
        bytes[17..].copy_from_slice(&self.chars);
        bytes
    }

    pub fn from_bytes(bytes: &[u8; SIZE]) -> Termios {
        let flag = |at: usize| {
            let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            u32::from_le_bytes(word)
        };
        let mut chars = [0; 19];
        chars.copy_from_slice(&bytes[17..]);
        Termios {
            input: flag(0),
            output: flag(4),
            control: flag(8),
            local: flag(12),
            line: bytes[16],
            chars,
        }
    }

    /// Whether a byte is this control character; 0 is none.
    pub fn is(&self, which: usize, byte: u8) -> bool {
        byte != 0 && self.chars[which] == byte
    }

    pub fn local(&self, flag: u32) -> bool {
        self.local & flag != 0
    }
}
