//! ioctl on terminals and files.

use linux_raw_sys::ioctl as k;
use syscalls::x86_64::Sysno;

use super::termios::{Termios, termios};
use crate::call::Arg::{self, Fd, In};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { REQUEST, "?", linux_raw_sys::ioctl: TCGETS TCGETA TCSETA TCSETAW
TCSETAF TCSBRK TCXONC TCFLSH TIOCEXCL TIOCNXCL TIOCSCTTY TIOCGPGRP TIOCSPGRP TIOCOUTQ TIOCSTI
TIOCGWINSZ TIOCSWINSZ TIOCMGET FIONREAD TIOCLINUX TIOCCONS FIONBIO TIOCNOTTY TIOCSETD TIOCGETD
TCSBRKP TIOCGSID TIOCGPTN TIOCSPTLCK TIOCGDEV TIOCVHANGUP FIONCLEX FIOCLEX FIOASYNC TIOCGPTPEER
FIOQSIZE BLKGETSIZE64 BLKGETSIZE BLKSSZGET BLKROGET FS_IOC_GETFLAGS FS_IOC_SETFLAGS FICLONE
FICLONERANGE SIOCGIFCONF SIOCGIFFLAGS SIOCGIFADDR SIOCGIFINDEX SIOCGIFNAME SIOCGIFHWADDR
SIOCGIFMTU RTC_RD_TIME }

/// Sound devices have requests with the same numbers.
const SHARED: [(u32, &str); 3] = [
    (k::TCSETS, "SNDCTL_TMR_START or TCSETS"),
    (k::TCSETSW, "SNDCTL_TMR_STOP or TCSETSW"),
    (k::TCSETSF, "SNDCTL_TMR_CONTINUE or TCSETSF"),
];

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
    let shared = SHARED
        .into_iter()
        .find(|(number, _)| u64::from(*number) == value);
    if let Some(name) = REQUEST.name(value).or(shared.map(|(_, name)| name)) {
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
