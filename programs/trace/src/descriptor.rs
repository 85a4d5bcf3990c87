//! What is behind a tracee's file descriptors, as far as /proc tells: `-y`.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use libtrace::Pid;

use crate::cx::Descriptors;
use crate::quote::{self, Style};

/// What `-y` prints in angle brackets behind descriptor `fd` of task `pid`.
pub fn describe(pid: Pid, fd: i32, wanted: Descriptors) -> Option<String> {
    let link = format!("/proc/{pid}/fd/{fd}");
    let path = fs::read_link(&link).ok()?;
    let path = path.as_os_str().as_bytes();
    let inode = |kind: &str| {
        let rest = path.strip_prefix(kind.as_bytes())?.strip_prefix(b":[")?;
        std::str::from_utf8(rest.strip_suffix(b"]")?).ok()
    };
    if let Some(inode) = inode("socket").filter(|_| wanted.socket()) {
        return Some(format!("<{}>", socket(pid, &link, inode)));
    }
    if path == b"anon_inode:[pidfd]" && wanted.process() {
        return process(pid, fd);
    }
    let device = (wanted.device() && path.starts_with(b"/"))
        .then(|| device(Path::new(&link)))
        .flatten();
    if !wanted.path() && device.is_none() {
        return None;
    }
    let (path, deleted) = match path.strip_suffix(b" (deleted)") {
        Some(path) if is_deleted(Path::new(&link)) => (path, "(deleted)"),
        _ => (path, ""),
    };
    let device = device.unwrap_or_default();
    Some(format!("<{}{device}>{deleted}", escaped(path)))
}

/// What `-y` prints behind `AT_FDCWD`.
pub fn working_directory(pid: Pid) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(format!("<{}>", escaped(path.as_os_str().as_bytes())))
}

/// Angle brackets would end the path.
fn escaped(path: &[u8]) -> String {
    let mut text = String::new();
    quote::escape(&mut text, path, Style::Octal);
    text.replace('<', "\\74").replace('>', "\\76")
}

/// The kernel says so behind the path; but so may the path itself.
fn is_deleted(link: &Path) -> bool {
    fs::metadata(link).is_ok_and(|about| about.nlink() == 0)
}

/// `<char 1:3>`, in a pair of brackets of its own.
fn device(link: &Path) -> Option<String> {
    let about = fs::metadata(link).ok()?;
    let kind = match about.file_type() {
        kind if kind.is_char_device() => "char",
        kind if kind.is_block_device() => "block",
        _ => return None,
    };
    let number = about.rdev();
    let major = number >> 8 & 0xfff | number >> 32 & !0xfff;
    let minor = number & 0xff | number >> 12 & 0xffff_ff00;
    Some(format!("<{kind} {major}:{minor}>"))
}

fn process(pid: Pid, fd: i32) -> Option<String> {
    let about = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    let line = about.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    Some(format!("<pid:{}>", line.trim()))
}

/// The socket's protocol with its addresses, as the tables of its namespace have it.
fn socket(pid: Pid, link: &str, inode: &str) -> String {
    const TABLES: [(&str, &str); 8] = [
        ("tcp", "TCP"),
        ("tcp6", "TCPv6"),
        ("udp", "UDP"),
        ("udp6", "UDPv6"),
        ("udplite", "UDPLITE"),
        ("udplite6", "UDPLITEv6"),
        ("raw", "RAW"),
        ("raw6", "RAWv6"),
    ];
    for (table, protocol) in TABLES {
        let rows = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        if let Some(addresses) = rows.lines().find_map(|row| connection(row, inode)) {
            return format!("{protocol}:[{addresses}]");
        }
    }
    let rows = fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
    rows.lines()
        .find_map(|row| local(row, inode))
        .unwrap_or_else(|| format!("{}:[{inode}]", protocol(link)))
}

/// What the kernel calls the socket's protocol; `socket` where it does not say.
fn protocol(link: &str) -> String {
    let mut name = [0; 64];
    let length = rustix::fs::getxattr(link, "system.sockprotoname", &mut name).unwrap_or(0);
    let name = name[..length].split(|byte| *byte == 0).next();
    match name.and_then(|name| std::str::from_utf8(name).ok()) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => "socket".to_owned(),
    }
}

/// `127.0.0.1:80->127.0.0.1:4444` from a row of /proc/net/tcp, if it is the socket's.
fn connection(row: &str, inode: &str) -> Option<String> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    if fields.get(9) != Some(&inode) {
        return None;
    }
    let (near, far) = (address(fields[1])?, address(fields[2])?);
    let is_connected = !far.ends_with(":0");
    Some(match is_connected {
        true => format!("{near}->{far}"),
        false => near,
    })
}

/// An address as the kernel writes it: words in hexadecimal, each in the machine's order.
fn address(field: &str) -> Option<String> {
    let (host, port) = field.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<[u8; 4]> = host
        .as_bytes()
        .chunks(8)
        .map(|word| {
            let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
            Some(word.to_ne_bytes())
        })
        .collect::<Option<_>>()?;
    let octets = words.concat();
    Some(match <[u8; 16]>::try_from(octets.as_slice()) {
        Ok(octets) => format!("[{}]:{port}", Ipv6Addr::from(octets)),
        Err(_) => format!(
            "{}:{port}",
            Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)
        ),
    })
}

/// `UNIX-STREAM:[1234,"/path"]` from a row of /proc/net/unix, if it is the socket's.
fn local(row: &str, inode: &str) -> Option<String> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    if fields.get(6) != Some(&inode) {
        return None;
    }
    let kind = match fields[4] {
        "0001" => "UNIX-STREAM",
        "0002" => "UNIX-DGRAM",
        "0005" => "UNIX-SEQPACKET",
        _ => "UNIX",
    };
    Some(match fields.get(7) {
        Some(path) => format!("{kind}:[{inode},\"{path}\"]"),
        None => format!("{kind}:[{inode}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_a_connection() {
        let row =
            "   1: 0100007F:0050 0100007F:115C 01 00000000:00000000 00:00000000 00000000 0 0 777 1";
        assert_eq!(
            connection(row, "777").unwrap(),
            "127.0.0.1:80->127.0.0.1:4444"
        );
        assert_eq!(connection(row, "778"), None);
        assert_eq!(
            address("00000000000000000000000001000000:1F90").unwrap(),
            "[::1]:8080"
        );
    }

    #[test]
    fn brackets_in_a_path_do_not_end_it() {
        assert_eq!(escaped(b"/a<b>\n"), "/a\\74b\\76\\n");
    }
}
