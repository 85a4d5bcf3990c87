//! The seL4 shell of the servers.
#![no_std]
