//! Signals: what is pending, what it does, how a handler is entered and left.

pub mod action;
pub mod deliver;
pub mod frame;
pub mod pending;
pub mod send;
