//! The procmgr server on the kernel.
#![no_std]
#![no_main]
