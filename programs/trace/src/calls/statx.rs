//! statx.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::date::moment;
use super::stat::{hex, mode};
use crate::call::Arg::{DirFd, In, Out, Path};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

/// Linux's `struct statx_timestamp`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct StatxTime {
    sec: i64,
    nsec: u32,
    pad: u32,
}

/// Linux's `struct statx`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Statx {
    mask: u32,
    blksize: u32,
    attributes: u64,
    nlink: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    pad: u16,
    ino: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64,
    /// Access, birth, change and modification.
    times: [StatxTime; 4],
    rdev: [u32; 2],
    dev: [u32; 2],
    mnt_id: u64,
    dio: [u32; 2],
    spare: [u64; 12],
}

const _: () = assert!(size_of::<Statx>() == 256);

names! { STATX, "STATX_???", STATX_TYPE = 1, STATX_MODE = 2, STATX_NLINK = 4, STATX_UID = 8,
STATX_GID = 16, STATX_ATIME = 32, STATX_MTIME = 64, STATX_CTIME = 128, STATX_INO = 256,
STATX_SIZE = 512, STATX_BLOCKS = 1024, STATX_BTIME = 2048, STATX_MNT_ID = 4096,
STATX_DIOALIGN = 8192, }
names! { STATX_ATTR, "STATX_ATTR_???", STATX_ATTR_COMPRESSED = 4, STATX_ATTR_IMMUTABLE = 16,
STATX_ATTR_APPEND = 32, STATX_ATTR_NODUMP = 64, STATX_ATTR_ENCRYPTED = 0x800,
STATX_ATTR_AUTOMOUNT = 0x1000, STATX_ATTR_MOUNT_ROOT = 0x2000, STATX_ATTR_VERITY = 0x10_0000,
STATX_ATTR_DAX = 0x20_0000, }

fn statx(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Statx>(addr, |cx, stat| {
        let mask = statx_mask(u64::from(stat.mask));
        let attributes = STATX_ATTR.flags(stat.attributes);
        let mode = mode(u64::from(stat.mode));
        match cx.look.verbose {
            true => cx.put(&full_statx(stat, &mask, &attributes, &mode)),
            false => cx.put(&format!(
                "{{stx_mask={mask}, stx_attributes={attributes}, stx_mode={mode}, \
                 stx_size={}, ...}}",
                stat.size
            )),
        }
    });
}

/// Only the times that the mask says are there.
fn full_statx(stat: &Statx, mask: &str, attributes: &str, mode: &str) -> String {
    let mut text = format!(
        "{{stx_mask={mask}, stx_blksize={}, stx_attributes={attributes}, stx_nlink={}, \
         stx_uid={}, stx_gid={}, stx_mode={mode}, stx_ino={}, stx_size={}, stx_blocks={}, \
         stx_attributes_mask={}",
        stat.blksize,
        stat.nlink,
        stat.uid,
        stat.gid,
        stat.ino,
        stat.size,
        stat.blocks,
        STATX_ATTR.flags(stat.attributes_mask)
    );
    const TIMES: [(u32, &str); 4] = [
        (0x20, "atime"),
        (0x800, "btime"),
        (0x80, "ctime"),
        (0x40, "mtime"),
    ];
    for ((bit, name), time) in TIMES.into_iter().zip(stat.times) {
        if stat.mask & bit != 0 {
            let date = moment(time.sec, time.nsec.into(), 9);
            let (sec, nsec) = (time.sec, time.nsec);
            text += &format!(", stx_{name}={{tv_sec={sec}, tv_nsec={nsec}}}{date}");
        }
    }
    let [rdev, dev] = [stat.rdev, stat.dev];
    text += &format!(
        ", stx_rdev_major={}, stx_rdev_minor={}, stx_dev_major={}, stx_dev_minor={}",
        rdev[0], rdev[1], dev[0], dev[1]
    );
    const MNT_ID: u32 = 0x1000;
    if stat.mask & MNT_ID != 0 {
        text += &format!(", stx_mnt_id={}", hex(stat.mnt_id));
    }
    text + "}"
}

fn wanted(cx: &mut Cx<'_>, mask: u64) {
    cx.put(&statx_mask(mask & 0xffff_ffff));
}

/// Two combinations have names of their own.
fn statx_mask(mask: u64) -> String {
    const BASIC: u64 = 0x7ff;
    const ALL: u64 = 0xfff;
    for (set, name) in [(ALL, "STATX_ALL"), (BASIC, "STATX_BASIC_STATS")] {
        if mask & ALL == set {
            return match mask & !ALL {
                0 => name.to_owned(),
                rest => format!(
                    "{name}|{}",
                    STATX.flags(rest).replace(" /* STATX_??? */", "")
                ),
            };
        }
    }
    STATX.flags(mask)
}

fn sync(cx: &mut Cx<'_>, value: u64) {
    const SYNC: [&str; 3] = [
        "AT_STATX_SYNC_AS_STAT",
        "AT_STATX_FORCE_SYNC",
        "AT_STATX_DONT_SYNC",
    ];
    let value = value & 0xffff_ffff;
    let how = match SYNC.get((value >> 13 & 3) as usize) {
        Some(name) => (*name).to_owned(),
        None => "AT_STATX_FORCE_SYNC|AT_STATX_DONT_SYNC".to_owned(),
    };
    cx.put(&how);
    if value & !0x6000 != 0 {
        cx.put("|");
        cx.put(&super::path::AT.flags(value & !0x6000));
    }
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[Call::new(
    Sysno::statx,
    &[DirFd, Path, In(sync), In(wanted), Out(statx)],
    Ret::Int,
)];
