//! The protocols.
#![no_std]
#![forbid(unsafe_code)]
