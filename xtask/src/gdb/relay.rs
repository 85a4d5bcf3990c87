//! Between the debugger's connection and the machine's serial line.
//!
//! A serial line does not tell that the other end has gone, and QEMU's drops what comes while nobody is connected. So the debugger connects
//! to us: we pass its bytes on, and when it goes we say so in the line's own words, which gdbserver answers when it has understood.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use image::qemu::Debugger;
use tempfile::TempDir;

/// The other end has gone: the beginning of a packet, so that whatever was cut off is over, and the end of transmission. gdbserver answers
/// with the same, and what comes behind that is for who comes next. No packet begins so.
const HANG_UP: [u8; 2] = [b'$', 0x04];
/// How long to wait for the answer. Where gdbserver has ended there is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// The place that debuggers connect to.
pub struct Relay {
    debuggers: TcpListener,
}

/// The relay at work; QEMU connects to it.
pub struct Started {
    debugger: Debugger,
    _folder: TempDir,
}

impl Relay {
    /// Listens on a port of the loopback.
    pub fn listen(port: u16) -> io::Result<Relay> {
        let debuggers = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Relay { debuggers })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.debuggers.local_addr().map_or(0, |it| it.port())
    }

    /// Passes bytes between one debugger after the other and the machine that connects, for as long as there is one.
    pub fn start(self) -> Result<Started> {
        let folder = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
        let path = folder.path().join("line");
        let lines = UnixListener::bind(&path)?;
        thread::spawn(move || {
            // Whatever fails here, the machine goes on without a debugger.
            if let Ok((line, _)) = lines.accept() {
                let _ = self.serve(line);
            }
        });
        Ok(Started {
            debugger: Debugger::Socket(path),
            _folder: folder,
        })
    }

    fn serve(self, line: UnixStream) -> io::Result<()> {
        let current = Arc::new(Mutex::new(None::<TcpStream>));
        let (understood, answers) = channel();
        let (from_line, to) = (line.try_clone()?, current.clone());
        thread::spawn(move || pass_on(from_line, &to, &understood));
        let mut line = line;
        loop {
            let (mut debugger, _) = self.debuggers.accept()?;
            debugger.set_nodelay(true)?;
            *current.lock().expect("nobody panics with it") = Some(debugger.try_clone()?);
            // A debugger that is cut off has gone as well.
            let _ = io::copy(&mut debugger, &mut line);
            hang_up(&mut line, &current, &answers)?;
        }
    }
}

impl Started {
    /// Where QEMU's second serial line leads.
    pub fn debugger(&self) -> &Debugger {
        &self.debugger
    }
}

/// Tells gdbserver that the debugger has gone, and passes nothing more on until it knows.
fn hang_up(
    line: &mut UnixStream,
    current: &Mutex<Option<TcpStream>>,
    answers: &Receiver<()>,
) -> io::Result<()> {
    while answers.try_recv().is_ok() {}
    line.write_all(&HANG_UP)?;
    let _ = answers.recv_timeout(PATIENCE);
    if let Some(debugger) = current.lock().expect("nobody panics with it").take() {
        let _ = debugger.shutdown(Shutdown::Both);
    }
    Ok(())
}

/// Passes on what the machine says, to whom there is.
fn pass_on(mut line: UnixStream, current: &Mutex<Option<TcpStream>>, understood: &Sender<()>) {
    let mut buffer = [0; 65536];
    let mut last = 0;
    while let Ok(count @ 1..) = line.read(&mut buffer) {
        let bytes = &buffer[..count];
        for &byte in bytes {
            if [std::mem::replace(&mut last, byte), byte] == HANG_UP {
                let _ = understood.send(());
            }
        }
        let mut current = current.lock().expect("nobody panics with it");
        if current
            .as_mut()
            .is_some_and(|it| it.write_all(bytes).is_err())
        {
            *current = None;
        }
    }
    // The machine is over.
    if let Some(debugger) = current.lock().expect("nobody panics with it").take() {
        let _ = debugger.shutdown(Shutdown::Both);
    }
}
