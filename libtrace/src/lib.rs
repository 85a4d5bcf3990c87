//! For clients of the tracer.
