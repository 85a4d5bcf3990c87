//! What a trace is, apart from how it comes about: its records, and what is drawn from them.
//!
//! The tracing tool makes [records](record); here they become lines of JSON, a
//! [timeline](mod@timeline) for Perfetto and chrome://tracing, and a [page](html) to zoom and search.
//! The tool does that where it runs, or [sends](export) everything elsewhere to have it done there, as it does from the machine.

#![forbid(unsafe_code)]

pub mod class;
pub mod drawing;
pub mod export;
pub mod html;
pub mod options;
pub mod progress;
pub mod record;
pub mod sink;
pub mod tasks;
pub mod timeline;

#[cfg(test)]
mod sample;
