//! The tracer server's behaviour, without I/O.
#![no_std]
#![forbid(unsafe_code)]
