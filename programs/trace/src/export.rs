//! Several streams through one: how a trace leaves the machine.
//!
//! The machine has one device that leads to a file outside, and a byte written to it costs
//! hundreds of instructions. So what the tool writes is collected, compressed, and sent in *batches*:
//!
//! ```text
//! batch    "TRCE", length of the rest: u32, the rest: LZ4 block behind its uncompressed size: u32
//! content  pieces: stream: u8, task: i32, length: u32, bytes
//! ```
//!
//! All numbers are little-endian.

use std::io::{self, Write};

use crate::record::Record;

/// What a piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The trace as text: what goes to the file of `-o`.
    Text,
    /// Records, whole lines.
    Records,
}

/// Some bytes of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which stream.
    pub stream: Stream,
    /// The task they are about, where each task's text goes to a file of its own; otherwise 0.
    pub task: i32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

const MAGIC: [u8; 4] = *b"TRCE";
/// The magic number and the length.
const BATCH_HEADER: usize = 8;
/// Stream, task and length.
const PIECE_HEADER: usize = 9;
/// A batch is sent when it has become so long.
const BATCH: usize = 64 << 10;
/// What a batch cannot be longer than: a full one and one more piece.
const BATCH_LIMIT: usize = 64 << 20;

/// The sending end.
pub struct Exporter {
    to: Box<dyn Write>,
    content: Vec<u8>,
    /// Where the last piece begins, and what it belongs to.
    last: Option<(usize, Stream, i32)>,
}

impl Exporter {
    /// Sends to `to`.
    pub fn new(to: Box<dyn Write>) -> Exporter {
        Exporter {
            to,
            content: Vec::new(),
            last: None,
        }
    }

    /// Adds bytes to a stream; they are sent when enough has come together.
    ///
    /// # Errors
    /// What writing says.
    pub fn write(&mut self, stream: Stream, task: i32, bytes: &[u8]) -> io::Result<()> {
        let start = match self.last {
            Some((start, ..)) if self.last == Some((start, stream, task)) => start,
            _ => self.begin(stream, task),
        };
        self.content.extend_from_slice(bytes);
        let length = (self.content.len() - start - PIECE_HEADER) as u32;
        self.content[start + 5..start + PIECE_HEADER].copy_from_slice(&length.to_le_bytes());
        match self.content.len() {
            ..BATCH => Ok(()),
            _ => self.flush(),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// What writing says.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        self.write(Stream::Records, 0, record.line().as_bytes())
    }

    /// Sends what there is.
    ///
    /// # Errors
    /// What writing says.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.content.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress_prepend_size(&self.content);
        let mut batch = Vec::with_capacity(BATCH_HEADER + packed.len());
        batch.extend_from_slice(&MAGIC);
        batch.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        batch.extend_from_slice(&packed);
        self.content.clear();
        self.last = None;
        self.to.write_all(&batch)?;
        self.to.flush()
    }

    fn begin(&mut self, stream: Stream, task: i32) -> usize {
        let start = self.content.len();
        self.content.push(match stream {
            Stream::Text => 0,
            Stream::Records => 1,
        });
        self.content.extend_from_slice(&task.to_le_bytes());
        self.content.extend_from_slice(&[0; 4]);
        self.last = Some((start, stream, task));
        start
    }
}

/// The receiving end.
#[derive(Debug, Default)]
pub struct Importer {
    waiting: Vec<u8>,
}

impl Importer {
    /// Takes bytes as they come and returns the pieces that are complete.
    ///
    /// # Errors
    /// A message where the bytes are not what an [`Exporter`] sends. Nothing that comes
    /// later makes sense then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Piece>, String> {
        self.waiting.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let mut done = 0;
        while let Some(header) = self.waiting[done..].first_chunk::<BATCH_HEADER>() {
            let length = number(&header[4..]) as usize;
            if header[..4] != MAGIC || length > BATCH_LIMIT {
                return Err(GARBLED.to_owned());
            }
            let start = done + BATCH_HEADER;
            let Some(packed) = self.waiting.get(start..start + length) else {
                break;
            };
            pieces.extend(unpack(packed)?);
            done = start + length;
        }
        self.waiting.drain(..done);
        Ok(pieces)
    }

    /// Whether everything that has come was complete.
    pub fn is_at_end(&self) -> bool {
        self.waiting.is_empty()
    }
}

const GARBLED: &str = "the trace that left the machine is garbled: something else wrote there";

fn unpack(packed: &[u8]) -> Result<Vec<Piece>, String> {
    let garbled = || GARBLED.to_owned();
    if packed.len() < 4 || number(packed) as usize > BATCH_LIMIT {
        return Err(garbled());
    }
    let content =
        lz4_flex::block::decompress_size_prepended(packed).map_err(|_| GARBLED.to_owned())?;
    let mut rest = &content[..];
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (header, behind) = rest
            .split_first_chunk::<PIECE_HEADER>()
            .ok_or_else(garbled)?;
        let length = number(&header[5..]) as usize;
        let (bytes, behind) = behind.split_at_checked(length).ok_or_else(garbled)?;
        let stream = match header[0] {
            0 => Stream::Text,
            1 => Stream::Records,
            _ => return Err(garbled()),
        };
        pieces.push(Piece {
            stream,
            task: number(&header[1..5]) as i32,
            bytes: bytes.to_vec(),
        });
        rest = behind;
    }
    Ok(pieces)
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Wire(Arc<Mutex<Vec<u8>>>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sent(write: impl FnOnce(&mut Exporter)) -> Vec<u8> {
        let wire = Wire::default();
        let mut exporter = Exporter::new(Box::new(wire.clone()));
        write(&mut exporter);
        exporter.flush().unwrap();
        wire.0.lock().unwrap().clone()
    }

    fn piece(stream: Stream, task: i32, bytes: &[u8]) -> Piece {
        Piece {
            stream,
            task,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn streams_come_out_apart_and_in_order() {
        let bytes = sent(|exporter| {
            exporter.write(Stream::Text, 7, b"read(").unwrap();
            exporter.write(Stream::Text, 7, b"3)\n").unwrap();
            exporter.write(Stream::Records, 0, b"{}\n").unwrap();
            exporter.write(Stream::Text, 8, b"x").unwrap();
        });
        let mut importer = Importer::default();
        assert_eq!(
            importer.take(&bytes).unwrap(),
            [
                piece(Stream::Text, 7, b"read(3)\n"),
                piece(Stream::Records, 0, b"{}\n"),
                piece(Stream::Text, 8, b"x"),
            ]
        );
        assert!(importer.is_at_end());
    }

    #[test]
    fn batches_may_come_in_any_portions() {
        let bytes = sent(|exporter| {
            for at in 0..20_000 {
                let line = format!("line {at}\n");
                exporter.write(Stream::Text, 0, line.as_bytes()).unwrap();
            }
        });
        let mut importer = Importer::default();
        let mut text = Vec::new();
        for portion in bytes.chunks(13) {
            for piece in importer.take(portion).unwrap() {
                text.extend(piece.bytes);
            }
        }
        assert!(importer.is_at_end());
        assert!(text.ends_with(b"line 19999\n"));
        assert!(bytes.len() < text.len() / 2, "{} bytes", bytes.len());
    }

    #[test]
    fn anything_else_is_refused() {
        let mut bytes = sent(|exporter| exporter.write(Stream::Text, 0, b"text").unwrap());
        assert!(Importer::default().take(b"hello, world").is_err());
        let end = bytes.len() - 1;
        bytes[end - 6] ^= 0x55;
        let _ = Importer::default().take(&bytes);
        bytes[9] = 0xff;
        bytes[11] = 0xff;
        assert!(Importer::default().take(&bytes).is_err());
    }
}
