//! The file server against a process manager made of maps, in real encoded messages.

mod attributes;
mod console;
mod descriptors;
mod events;
mod files;
mod garbage;
mod limits;
mod names;
mod permissions;
mod pipes;
mod polling;
mod proc;
mod tasks;
mod terminals;
mod world;
