//! The way from a trap through a system call back into the program.

mod interrupt;
mod pass;
mod trapped;
