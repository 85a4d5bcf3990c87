//! The file server against a process manager made of maps, in real encoded messages.

mod attributes;
mod console;
mod cores;
mod datagrams;
mod descriptors;
mod events;
mod files;
mod garbage;
mod limits;
mod locks;
mod memfds;
mod names;
mod passing;
mod permissions;
mod pidfds;
mod pipes;
mod polling;
mod proc;
mod signals;
mod tasks;
mod terminals;
mod world;
