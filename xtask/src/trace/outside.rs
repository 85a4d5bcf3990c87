//! The files of a trace, outside of the machine where it is made.
//!
//! The tool sends text and records through one device (`trace::export`). QEMU writes that to a file, which is read here while it
//! grows; text goes where `-o` says, records become lines of JSON and pictures.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::NamedTempFile;
use trace::drawing::Drawing;
use trace::export::{Importer, Piece, Stream};
use trace::options::Options;
use trace::progress::Progress;
use trace::record;
use trace::sink::{self, Sink};

/// How often the growing file is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// The files that are made of what comes out.
pub struct Outside {
    options: Options,
    /// Where text goes: one file for all, or one for each task.
    text: HashMap<i32, Sink>,
    drawing: Drawing,
    /// Records of which the end has not come.
    unfinished: Vec<u8>,
    lines: u64,
    progress: Progress,
}

/// A machine's output being read, in a thread of its own.
pub struct Importing {
    file: NamedTempFile,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Outside {
    /// Whether any file has to be made.
    pub fn is_wanted(options: &Options) -> bool {
        options.output.is_some() || !options.wanted().is_nothing()
    }

    /// Opens the files, so that one that cannot be written is known before anything is traced.
    pub fn new(options: &Options) -> Result<Self> {
        let mut text = HashMap::new();
        if let Some(target) = &options.output
            && options.follow < 2
        {
            let sink = Sink::open(target, options.output_append_mode);
            text.insert(0, sink.with_context(|| target.display().to_string())?);
        }
        let quiet = options.output.is_some() || !options.prints_text();
        Ok(Self {
            text,
            drawing: Drawing::new(options.wanted()).map_err(|error| anyhow!(error))?,
            unfinished: Vec::new(),
            lines: 0,
            progress: Progress::new(quiet),
            options: options.clone(),
        })
    }

    /// Begins to read what a machine will write to a file.
    pub fn start(self) -> Result<Importing> {
        let file = tempfile::Builder::new()
            .prefix("stillpoint-")
            .suffix(".export")
            .tempfile()?;
        let reader = file.reopen()?;
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let thread = thread::spawn(move || self.read(reader, &end));
        Ok(Importing {
            file,
            ended,
            thread,
        })
    }

    /// Reads until the machine has ended and everything it wrote has been read.
    fn read(mut self, mut file: File, ended: &AtomicBool) -> Result<()> {
        let mut importer = Importer::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            // Asked before reading: what was written before the end is then still read.
            let last = ended.load(Ordering::Acquire);
            let count = file.read(&mut buffer)?;
            let pieces = importer.take(&buffer[..count]);
            for piece in pieces.map_err(|error| anyhow!(error))? {
                self.take(piece)?;
            }
            self.progress.update(self.lines);
            if count == 0 {
                if last {
                    break;
                }
                thread::sleep(INTERVAL);
            }
        }
        self.progress.clear();
        self.drawing.finish().map_err(|error| anyhow!(error))?;
        ensure!(
            importer.is_at_end(),
            "the machine ended in the middle of its trace: the last events are missing"
        );
        Ok(())
    }

    fn take(&mut self, piece: Piece) -> Result<()> {
        let counted = match self.options.wanted().is_nothing() {
            true => Stream::Text,
            false => Stream::Records,
        };
        if piece.stream == counted {
            self.lines += piece.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        match piece.stream {
            Stream::Text => self.write_text(piece.task, &piece.bytes),
            Stream::Records => self.take_records(&piece.bytes),
        }
    }

    fn write_text(&mut self, task: i32, bytes: &[u8]) -> Result<()> {
        let sink = match self.text.entry(task) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let target = self
                    .options
                    .output
                    .as_deref()
                    .context("text that nobody asked for")?;
                let target = sink::of_task(target, task);
                let sink = Sink::open(&target, self.options.output_append_mode);
                entry.insert(sink.with_context(|| target.display().to_string())?)
            }
        };
        // A command that has seen enough is no reason to end the program.
        let _ = sink.write_all(bytes);
        Ok(())
    }

    fn take_records(&mut self, bytes: &[u8]) -> Result<()> {
        self.unfinished.extend_from_slice(bytes);
        let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let rest = self.unfinished.split_off(end + 1);
        let lines = std::mem::replace(&mut self.unfinished, rest);
        let lines = String::from_utf8(lines).context("the machine's records are not text")?;
        for record in
            record::read(&lines).map_err(|error| anyhow!("the machine's records: {error}"))?
        {
            self.drawing.take(record);
        }
        Ok(())
    }
}

impl Importing {
    /// The file that the machine has to write to.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads the rest and finishes the files.
    pub fn finish(self) -> Result<()> {
        self.ended.store(true, Ordering::Release);
        self.thread.join().expect("the reader does not panic")
    }
}
