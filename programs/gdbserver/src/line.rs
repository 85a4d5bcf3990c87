//! Where debuggers come from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::termios::{self, OptionalActions};

use crate::packet::NEXT;

/// Keeps a terminal that is opened from becoming the opener's own.
const O_NOCTTY: i32 = 0o400;

/// A place that one debugger after the other can come from.
#[derive(Debug)]
pub enum Line {
    /// A network port.
    Tcp(TcpListener),
    /// A serial line, or standard input and output: who is at the other end cannot be told.
    Wire(File, File),
    /// Nobody will come any more.
    Closed,
}

/// A debugger's connection.
#[derive(Debug)]
pub struct Connection {
    input: File,
    output: File,
}

impl Line {
    /// Opens the place called `name`: `[HOST]:PORT`, `-`, or a path.
    ///
    /// # Errors
    /// What opening says.
    pub fn open(name: &str) -> io::Result<Line> {
        if name == "-" {
            let input = io::stdin().as_fd().try_clone_to_owned()?;
            let output = io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(Line::Wire(input.into(), output.into()));
        }
        if name.starts_with('/') {
            let mut options = OpenOptions::new();
            let mut device = options
                .read(true)
                .write(true)
                .custom_flags(O_NOCTTY)
                .open(name)?;
            make_raw(&device)?;
            device.write_all(NEXT)?;
            return Ok(Line::Wire(device.try_clone()?, device));
        }
        let address = match name.strip_prefix(':') {
            Some(port) => format!("0.0.0.0:{port}"),
            None => name.to_owned(),
        };
        TcpListener::bind(address).map(Line::Tcp)
    }

    /// The port it listens on, if it is one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Line::Tcp(listener) => Some(listener.local_addr().ok()?.port()),
            Line::Wire(..) | Line::Closed => None,
        }
    }

    /// What can be read when somebody comes.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Line::Tcp(listener) => Some(listener.as_fd()),
            Line::Wire(input, _) => Some(input.as_fd()),
            Line::Closed => None,
        }
    }

    /// Takes who has come.
    ///
    /// # Errors
    /// What accept(2) lists.
    pub fn accept(&self) -> io::Result<Connection> {
        match self {
            Line::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                let output = stream.try_clone()?;
                Ok(Connection {
                    input: OwnedFd::from(stream).into(),
                    output: OwnedFd::from(output).into(),
                })
            }
            Line::Wire(input, output) => Ok(Connection {
                input: input.try_clone()?,
                output: output.try_clone()?,
            }),
            Line::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// A connection has come to its end; a wire that has ended brings nobody any more.
    pub fn ended(&mut self) {
        if let Line::Wire(..) = self {
            *self = Line::Closed;
        }
    }
}

impl Connection {
    /// Its descriptor for reading.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Reads what is there, or waits for it; nothing at the end, none where a signal came instead.
    pub fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match self.input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            // A connection that fails has ended.
            other => Some(other.unwrap_or(0)),
        }
    }

    /// Sends everything.
    ///
    /// # Errors
    /// What write(2) lists.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }
}

/// Bytes come and go on a terminal as they are.
fn make_raw(device: &File) -> io::Result<()> {
    let Ok(mut settings) = termios::tcgetattr(device) else {
        // It is no terminal.
        return Ok(());
    };
    settings.make_raw();
    termios::tcsetattr(device, OptionalActions::Now, &settings)?;
    Ok(())
}
