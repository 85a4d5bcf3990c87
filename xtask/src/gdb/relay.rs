//! Between the debugger's connection and the machine's serial line.
//!
//! A serial line does not tell that the other end has gone, and who connects to it before anybody listens there is not heard. So the
//! debugger connects to us, as soon as gdbserver says that it listens; we pass the bytes on, and when the debugger goes we say so in the
//! line's own words, which gdbserver answers when it has understood.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use image::qemu::Debugger;
use tempfile::TempDir;

/// What we say when the debugger has gone: the beginning of a packet, so that whatever was cut off is over, and the end of transmission.
const GONE: [u8; 2] = [b'$', 0x04];
/// What gdbserver says when it listens, and in answer to that: what follows is for who comes next. No packet contains it.
const NEXT: [u8; 2] = [b'#', 0x04];
/// How long to wait for the answer. Where gdbserver has ended there is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// A relay at work. QEMU connects to it.
pub struct Relay {
    line: PathBuf,
    _folder: TempDir,
}

/// The debugger that is connected, if one is.
type Current = Arc<Mutex<Option<TcpStream>>>;

impl Relay {
    /// Listens for the machine. When gdbserver listens in it, `ready` is called with the port of the loopback that debuggers connect to:
    /// `port`, or a free one for 0.
    pub fn start(port: u16, ready: impl FnOnce(u16) + Send + 'static) -> Result<Relay> {
        // Whether it can be had is found out now. Nobody may connect before the machine has come up, for debuggers lose their patience.
        let port = listen(port)
            .and_then(|debuggers| debuggers.local_addr())
            .with_context(|| format!("listening on port {port}"))?
            .port();
        let folder = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
        let line = folder.path().join("line");
        let machines = UnixListener::bind(&line)?;
        thread::spawn(move || {
            // The machine goes on without a debugger, whatever fails here.
            if let Err(error) = serve(&machines, port, ready) {
                eprintln!("stillpoint: the debugger's connection: {error}");
            }
        });
        Ok(Relay {
            line,
            _folder: folder,
        })
    }

    /// Where QEMU's second serial line leads.
    pub fn debugger(&self) -> Debugger {
        Debugger::Socket(self.line.clone())
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// Passes bytes between one debugger after the other and the machine that connects.
fn serve(machines: &UnixListener, port: u16, ready: impl FnOnce(u16)) -> io::Result<()> {
    let (mut line, _) = machines.accept()?;
    let current = Current::default();
    let (next, nexts) = channel();
    let (from_line, to) = (line.try_clone()?, current.clone());
    thread::spawn(move || pass_on(from_line, &to, &next));
    if nexts.recv().is_err() {
        // The machine has ended before anybody listened.
        return Ok(());
    }
    let debuggers = listen(port)?;
    ready(port);
    loop {
        let (mut debugger, _) = debuggers.accept()?;
        debugger.set_nodelay(true)?;
        *current.lock().expect("nobody panics with it") = Some(debugger.try_clone()?);
        // A debugger that is cut off has gone as well.
        let _ = io::copy(&mut debugger, &mut line);
        if hang_up(&mut line, &current, &nexts).is_err() {
            return Ok(());
        }
    }
}

/// Tells gdbserver that the debugger has gone, and passes nothing more on until it knows.
fn hang_up(line: &mut UnixStream, current: &Current, nexts: &Receiver<()>) -> io::Result<()> {
    while nexts.try_recv().is_ok() {}
    line.write_all(&GONE)?;
    let _ = nexts.recv_timeout(PATIENCE);
    close(current);
    Ok(())
}

/// Passes on what the machine says, to whom there is, until the machine is over.
fn pass_on(mut line: UnixStream, current: &Current, next: &Sender<()>) {
    let mut buffer = [0; 4096];
    let mut whole = Packets::default();
    while let Ok(count @ 1..) = line.read(&mut buffer) {
        for &byte in &buffer[..count] {
            if whole.push(byte) {
                let _ = next.send(());
            }
        }
        let Some(bytes) = whole.take() else {
            continue;
        };
        let mut current = current.lock().expect("nobody panics with it");
        if current
            .as_mut()
            .is_some_and(|it| it.write_all(&bytes).is_err())
        {
            *current = None;
        }
    }
    close(current);
}

/// What the machine says, gathered up to the end of a packet: the line brings it byte by byte, and a debugger would wake for each.
#[derive(Default)]
struct Packets {
    bytes: Vec<u8>,
    last: u8,
    /// How far the packet is that the bytes end in.
    at: At,
}

#[derive(Default)]
enum At {
    #[default]
    Between,
    Payload,
    /// So many digits of the checksum are to come.
    Checksum(u8),
}

impl Packets {
    /// Takes a byte. Whether it completes [`NEXT`].
    fn push(&mut self, byte: u8) -> bool {
        self.at = match (&self.at, byte) {
            (_, b'$') => At::Payload,
            (At::Between, b'%') => At::Payload,
            (At::Payload, b'#') => At::Checksum(2),
            (At::Checksum(2), digit) if digit != NEXT[1] => At::Checksum(1),
            (At::Payload, _) => At::Payload,
            _ => At::Between,
        };
        self.bytes.push(byte);
        [std::mem::replace(&mut self.last, byte), byte] == NEXT
    }

    /// Everything, unless a packet's end is still to come. A long packet comes in pieces.
    fn take(&mut self) -> Option<Vec<u8>> {
        let whole = matches!(self.at, At::Between) || self.bytes.len() >= 4096;
        whole.then(|| std::mem::take(&mut self.bytes))
    }
}

fn close(current: &Current) {
    if let Some(debugger) = current.lock().expect("nobody panics with it").take() {
        let _ = debugger.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut packets = Packets::default();
        for &byte in bytes {
            packets.push(byte);
        }
        packets.take()
    }

    #[test]
    fn a_packet_is_passed_on_when_it_is_whole() {
        assert_eq!(taken(b"+$OK#9"), None);
        assert_eq!(taken(b"+$O"), None);
        assert_eq!(taken(b"+$OK#9a").unwrap(), b"+$OK#9a");
        assert_eq!(taken(b"+").unwrap(), b"+");
        assert_eq!(taken(b"%Stop:T05#99").unwrap(), b"%Stop:T05#99");
        let long = [b"$".as_slice(), &[b'0'; 4096]].concat();
        assert_eq!(taken(&long).unwrap(), long);
    }

    #[test]
    fn the_word_for_the_next_debugger_is_found() {
        let mut packets = Packets::default();
        let found: Vec<_> = [b"$OK#9a".as_slice(), &NEXT, b"+"]
            .concat()
            .into_iter()
            .map(|byte| packets.push(byte))
            .collect();
        assert_eq!(found.iter().position(|it| *it), Some(7));
        assert!(packets.take().is_some());
    }
}
