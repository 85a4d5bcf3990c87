//! The fs server on the kernel.
#![no_std]
#![no_main]
