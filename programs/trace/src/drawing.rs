//! What is made of records: lines of JSON at once, pictures at the end.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;

use crate::html;
use crate::record::{self, Record};
use crate::sink::Sink;
use crate::timeline;

/// Which files to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Lines of JSON.
    pub json: Option<OsString>,
    /// A document of the Trace Event Format.
    pub timeline: Option<OsString>,
    /// A page.
    pub html: Option<OsString>,
}

impl Wanted {
    /// No file at all.
    pub fn is_nothing(&self) -> bool {
        *self == Wanted::default()
    }
}

/// The files being made.
#[derive(Debug)]
pub struct Drawing {
    wanted: Wanted,
    json: Option<Sink>,
    records: Vec<Record>,
}

impl Drawing {
    /// Opens what is written to at once, and makes sure that the rest can be written to.
    ///
    /// # Errors
    /// A message that names the file.
    pub fn new(wanted: Wanted) -> Result<Drawing, String> {
        let json = match &wanted.json {
            Some(target) => Some(open(target)?),
            None => None,
        };
        for target in [&wanted.timeline, &wanted.html].into_iter().flatten() {
            fs::File::create(target).map_err(|error| failure(target, &error))?;
        }
        Ok(Drawing {
            wanted,
            json,
            records: Vec::new(),
        })
    }

    /// Takes a record.
    pub fn take(&mut self, record: Record) {
        if let Some(json) = &mut self.json {
            // A trace nobody can read any more is no reason to end the traced program.
            let _ = json.write_all(record.line().as_bytes());
        }
        if self.wanted.timeline.is_some() || self.wanted.html.is_some() {
            self.records.push(record);
        }
    }

    /// Draws the pictures.
    ///
    /// # Errors
    /// A message that names the file which cannot be written.
    pub fn finish(self) -> Result<(), String> {
        if let Some(target) = &self.wanted.timeline {
            write(target, &timeline::timeline(&self.records))?;
        }
        if let Some(target) = &self.wanted.html {
            write(target, &html::page(&self.records))?;
        }
        Ok(())
    }
}

/// Draws an earlier trace, from the file of its records.
///
/// # Errors
/// A message that names the file that cannot be read or written.
pub fn redraw(file: &OsStr, wanted: Wanted) -> Result<(), String> {
    if wanted.is_nothing() {
        return Err("--from needs --timeline FILE or --html FILE".to_owned());
    }
    let text = fs::read_to_string(file).map_err(|error| failure(file, &error))?;
    let records = record::read(&text).map_err(|error| failure(file, &error))?;
    let mut drawing = Drawing::new(wanted)?;
    for record in records {
        drawing.take(record);
    }
    drawing.finish()
}

fn open(target: &OsString) -> Result<Sink, String> {
    Sink::open(target, false).map_err(|error| failure(target, &error))
}

fn write(target: &OsString, text: &str) -> Result<(), String> {
    fs::write(target, text).map_err(|error| failure(target, &error))
}

fn failure(target: &OsStr, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", target.display())
}
