//! The settings of a terminal.

use bytemuck::{Pod, Zeroable};

use crate::cx::Cx;
use crate::names::{Names, names};

/// The kernel's `struct termios`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Termios {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    chars: [u8; 19],
}

const _: () = assert!(size_of::<Termios>() == 36);

names! { LINE, "N_???", N_TTY = 0, N_SLIP = 1, N_MOUSE = 2, N_PPP = 3, }
names! { INPUT, "", IGNBRK = 1, BRKINT = 2, IGNPAR = 4, PARMRK = 8, INPCK = 0x10, ISTRIP = 0x20,
INLCR = 0x40, IGNCR = 0x80, ICRNL = 0x100, IUCLC = 0x200, IXON = 0x400, IXANY = 0x800,
IXOFF = 0x1000, IMAXBEL = 0x2000, IUTF8 = 0x4000, }
names! { OUTPUT, "", OPOST = 1, OLCUC = 2, ONLCR = 4, OCRNL = 8, ONOCR = 0x10, ONLRET = 0x20,
OFILL = 0x40, OFDEL = 0x80, }
names! { CONTROL, "", CSTOPB = 0x40, CREAD = 0x80, PARENB = 0x100, PARODD = 0x200, HUPCL = 0x400,
CLOCAL = 0x800, CMSPAR = 1 << 30, CRTSCTS = 1u32 << 31, }
names! { LOCAL, "", ISIG = 1, ICANON = 2, XCASE = 4, ECHO = 8, ECHOE = 0x10, ECHOK = 0x20,
ECHONL = 0x40, NOFLSH = 0x80, IEXTEN = 0x8000, ECHOCTL = 0x200, ECHOPRT = 0x400, ECHOKE = 0x800,
FLUSHO = 0x1000, PENDIN = 0x4000, TOSTOP = 0x100, EXTPROC = 0x10000, }

/// The speeds of the low four bits.
const SLOW: [&str; 16] = [
    "B0", "B50", "B75", "B110", "B134", "B150", "B200", "B300", "B600", "B1200", "B1800", "B2400",
    "B4800", "B9600", "B19200", "B38400",
];
/// The same with the extension bit.
const FAST: [&str; 16] = [
    "BOTHER", "B57600", "B115200", "B230400", "B460800", "B500000", "B576000", "B921600",
    "B1000000", "B1152000", "B1500000", "B2000000", "B2500000", "B3000000", "B3500000", "B4000000",
];
const SPEED: u32 = 0x100f;
const INPUT_SPEED_SHIFT: u32 = 16;
const SIZE: u32 = 0x30;

/// Prints everything; the line discipline and the special characters only where everything is asked for.
pub fn termios(cx: &mut Cx<'_>, termios: &Termios) {
    cx.put("{c_iflag=");
    cx.put(&flags(&INPUT, termios.iflag));
    cx.put(", c_oflag=");
    cx.put(&output(termios.oflag));
    cx.put(", c_cflag=");
    cx.put(&control(termios.cflag));
    cx.put(", c_lflag=");
    cx.put(&flags(&LOCAL, termios.lflag));
    match cx.look.verbose {
        true => cx.put(&special(termios)),
        false => cx.put(", ...}"),
    }
}

/// The line discipline and the special characters.
fn special(termios: &Termios) -> String {
    const PLACES: [&str; 17] = [
        "VINTR", "VQUIT", "VERASE", "VKILL", "VEOF", "VTIME", "VMIN", "VSWTC", "VSTART", "VSTOP",
        "VSUSP", "VEOL", "VREPRINT", "VDISCARD", "VWERASE", "VLNEXT", "VEOL2",
    ];
    let characters = termios.chars.iter().enumerate().map(|(at, &byte)| {
        let place = PLACES.get(at).map_or(at.to_string(), |it| (*it).to_owned());
        match byte {
            0 => format!("[{place}]=0"),
            byte => format!("[{place}]={byte:#x}"),
        }
    });
    let characters: Vec<String> = characters.collect();
    let line = LINE.choice(termios.line.into());
    format!(", c_line={line}, c_cc=[{}]}}", characters.join(", "))
}

/// The delays are numbers of one or two bits among the flags.
fn output(value: u32) -> String {
    let tab = match value >> 11 & 3 {
        3 => "XTABS".to_owned(),
        tab => format!("TAB{tab}"),
    };
    format!(
        "NL{}|CR{}|{tab}|BS{}|VT{}|FF{}|{}",
        value >> 8 & 1,
        value >> 9 & 3,
        value >> 13 & 1,
        value >> 14 & 1,
        value >> 15 & 1,
        flags(&OUTPUT, value & !0xff00)
    )
}

fn control(value: u32) -> String {
    let input = match speed(value >> INPUT_SPEED_SHIFT) {
        "B0" => String::new(),
        speed => format!("|{speed}<<IBSHIFT"),
    };
    let rest = value & !(SPEED | SPEED << INPUT_SPEED_SHIFT | SIZE);
    let size = 5 + (value & SIZE) / 0x10;
    format!("{}{input}|CS{size}|{}", speed(value), flags(&CONTROL, rest))
}

fn speed(value: u32) -> &'static str {
    let table = if value & 0x1000 == 0 { SLOW } else { FAST };
    table[(value & 0xf) as usize]
}

/// As [`Names::flags`], but nothing for zero and no comment for what is unknown.
fn flags(names: &Names, value: u32) -> String {
    let (named, rest) = names.split(u64::from(value));
    match (named.is_empty(), rest) {
        (_, 0) => named,
        (true, rest) => format!("{rest:#x}"),
        (false, rest) => format!("{named}|{rest:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{control, output};

    #[test]
    fn delays_and_sizes_are_always_there() {
        assert_eq!(output(5), "NL0|CR0|TAB0|BS0|VT0|FF0|OPOST|ONLCR");
        assert_eq!(control(0xbf), "B38400|CS8|CREAD");
    }

    #[test]
    fn fast_speeds_have_the_extension_bit() {
        assert_eq!(
            control(0x1002 | 0x1002_0000),
            "B115200|B115200<<IBSHIFT|CS5|"
        );
    }
}
