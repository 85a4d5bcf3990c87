//! IPC-level tests.
