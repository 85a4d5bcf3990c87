//! The tracer server's behaviour, without I/O.
//!
//! [`engine`] is utrace (utrace.md): every traced task has a chain of engines, each report of the
//! process manager goes along the chain, and the chain decides how the task goes on.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod engine;
