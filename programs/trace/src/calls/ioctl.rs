//! ioctl on terminals and files.

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::ioctl as k;
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Fd, In};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { REQUEST, "?", linux_raw_sys::ioctl: TCGETS TCSETS TCSETSW TCSETSF TCGETA TCSETA TCSETAW
TCSETAF TCSBRK TCXONC TCFLSH TIOCEXCL TIOCNXCL TIOCSCTTY TIOCGPGRP TIOCSPGRP TIOCOUTQ TIOCSTI
TIOCGWINSZ TIOCSWINSZ TIOCMGET FIONREAD TIOCLINUX TIOCCONS FIONBIO TIOCNOTTY TIOCSETD TIOCGETD
TCSBRKP TIOCGSID TIOCGPTN TIOCSPTLCK TIOCGDEV TIOCVHANGUP FIONCLEX FIOCLEX FIOASYNC TIOCGPTPEER
FIOQSIZE BLKGETSIZE64 BLKGETSIZE BLKSSZGET BLKROGET FS_IOC_GETFLAGS FS_IOC_SETFLAGS FICLONE
FICLONERANGE SIOCGIFCONF SIOCGIFFLAGS SIOCGIFADDR SIOCGIFINDEX SIOCGIFNAME SIOCGIFHWADDR
SIOCGIFMTU RTC_RD_TIME }

/// The kernel's `struct termios`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Termios {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    chars: [u8; 19],
}

const _: () = assert!(size_of::<Termios>() == 36);

/// The speed and the settings that matter most, as stty names them.
fn termios(cx: &mut Cx<'_>, termios: &Termios) {
    const SPEEDS: [&str; 16] = [
        "B0", "B50", "B75", "B110", "B134", "B150", "B200", "B300", "B600", "B1200", "B1800",
        "B2400", "B4800", "B9600", "B19200", "B38400",
    ];
    const FAST: [&str; 15] = [
        "B57600", "B115200", "B230400", "B460800", "B500000", "B576000", "B921600", "B1000000",
        "B1152000", "B1500000", "B2000000", "B2500000", "B3000000", "B3500000", "B4000000",
    ];
    let speed = match termios.cflag & 0o10_017 {
        low @ 0..=15 => SPEEDS[low as usize].to_owned(),
        high => match FAST.get((high & 0o17) as usize - usize::from(high & 0o17 > 0)) {
            Some(name) if high & 0o17 > 0 => (*name).to_owned(),
            _ => format!("{high:#x} /* B??? */"),
        },
    };
    let sign = |set: bool| if set { "" } else { "-" };
    cx.put(&format!(
        "{{{speed} {}opost {}isig {}icanon {}echo ...}}",
        sign(termios.oflag & 1 != 0),
        sign(termios.lflag & 1 != 0),
        sign(termios.lflag & 2 != 0),
        sign(termios.lflag & 8 != 0)
    ));
}

fn answers(args: &[u64; 6]) -> bool {
    matches!(
        args[1] as u32,
        k::TCGETS
            | k::TIOCGWINSZ
            | k::TIOCGPGRP
            | k::TIOCGSID
            | k::FIONREAD
            | k::TIOCOUTQ
            | k::TIOCGPTN
            | k::TIOCGETD
            | k::BLKGETSIZE64
            | k::BLKGETSIZE
            | k::BLKSSZGET
            | k::BLKROGET
            | k::FS_IOC_GETFLAGS
    )
}

fn argument(cx: &mut Cx<'_>, addr: u64) {
    match cx.args[1] as u32 {
        k::TCGETS => cx.out::<Termios>(addr, termios),
        k::TCSETS | k::TCSETSW | k::TCSETSF => cx.given::<Termios>(addr, termios),
        k::TIOCGWINSZ => cx.out::<[u16; 4]>(addr, window),
        k::TIOCSWINSZ => cx.given::<[u16; 4]>(addr, window),
        k::TIOCSPGRP | k::TIOCSPTLCK | k::FIONBIO | k::TIOCSETD | k::FIOASYNC => {
            cx.given::<i32>(addr, bracketed);
        }
        k::TIOCGPGRP
        | k::TIOCGSID
        | k::FIONREAD
        | k::TIOCOUTQ
        | k::TIOCGPTN
        | k::TIOCGETD
        | k::BLKSSZGET
        | k::BLKROGET => cx.out::<i32>(addr, bracketed),
        k::BLKGETSIZE64 | k::BLKGETSIZE => cx.out::<u64>(addr, bracketed),
        k::TCSBRK | k::TCSBRKP | k::TIOCSCTTY => cx.int(addr as i32),
        k::TCFLSH => {
            let name = ["TCIFLUSH", "TCOFLUSH", "TCIOFLUSH"]
                .get(addr as usize)
                .copied();
            cx.put(name.unwrap_or("TC???FLUSH"));
        }
        k::TCXONC => {
            let name = ["TCOOFF", "TCOON", "TCIOFF", "TCION"]
                .get(addr as usize)
                .copied();
            cx.put(name.unwrap_or("TC???"));
        }
        _ => cx.hex(addr),
    }
}

fn window(cx: &mut Cx<'_>, size: &[u16; 4]) {
    cx.put(&format!(
        "{{ws_row={}, ws_col={}, ws_xpixel={}, ws_ypixel={}}}",
        size[0], size[1], size[2], size[3]
    ));
}

fn bracketed<T: std::fmt::Display>(cx: &mut Cx<'_>, value: &T) {
    cx.put(&format!("[{value}]"));
}

/// Requests without a name are taken apart as their numbers are put together: direction,
/// type, number, size.
fn request(cx: &mut Cx<'_>, value: u64) {
    let value = value & 0xffff_ffff;
    if let Some(name) = REQUEST.name(value) {
        return cx.put(name);
    }
    const DIRECTIONS: [&str; 4] = [
        "_IOC_NONE",
        "_IOC_WRITE",
        "_IOC_READ",
        "_IOC_READ|_IOC_WRITE",
    ];
    let direction = DIRECTIONS[(value >> 30) as usize];
    cx.put(&format!(
        "_IOC({direction}, {:#x}, {:#x}, {:#x})",
        value >> 8 & 0xff,
        value & 0xff,
        value >> 16 & 0x3fff
    ));
}

fn has_argument(args: &[u64; 6]) -> bool {
    !matches!(
        args[1] as u32,
        k::TIOCEXCL | k::TIOCNXCL | k::TIOCNOTTY | k::FIOCLEX | k::FIONCLEX | k::TIOCCONS
    )
}

const ARGUMENT: Arg = Arg::Either(answers, argument);

/// The system calls of this file.
pub const CALLS: &[Call] = &[Call::new(
    Sysno::ioctl,
    &[Fd, In(request), Arg::When(has_argument, &ARGUMENT)],
    Ret::Int,
)];
