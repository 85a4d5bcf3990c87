//! A server that can be left in the middle of its work.
//!
//! What a server does is a function of its state, of what it was woken for, and of the answers of
//! the process manager. So "in the middle of it" is these three: it is done again from the
//! beginning with the answers there are, up to the call that has none yet.

use abi::wire::{self, Buffer, MAX};
use abi::{Errno, TaskId};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// What a server was woken for.
#[derive(Clone, Debug, Hash)]
pub enum Job {
    /// The tracer has reports.
    Reports,
    /// The tracer has a message: from whom, its label, its words.
    Client(TaskId, u64, [u64; 4]),
    /// The file server has an answer to its call for the next report.
    File(Vec<u8>),
}

/// What the process manager has answered.
type Heard = Result<Vec<u8>, Errno>;

/// A server.
#[derive(Clone)]
pub enum Served<S> {
    /// It sleeps.
    Idle(Rc<Kept<S>>),
    /// It calls the process manager.
    Calling(Rc<Calling<S>>),
}

/// A server as it sleeps.
pub struct Kept<S> {
    server: S,
    digest: u64,
}

/// A server at work.
pub struct Calling<S> {
    before: Rc<Kept<S>>,
    job: Job,
    heard: Vec<Heard>,
    call: Vec<u8>,
    digest: u64,
}

/// A server whose work can be done again.
pub trait Server: Clone + Hash {
    /// Does a job; the answer, if it was a client's message.
    fn work(&mut self, job: &Job, outside: &mut Outside<'_>) -> Option<[u64; 4]>;
}

/// What a panic carries that is none: the server has called and there is no answer yet.
struct Unanswered;

/// The outside of a server that does its work again.
pub struct Outside<'a> {
    heard: &'a [Heard],
    call: Vec<u8>,
}

impl Outside<'_> {
    fn ask<T: Serialize>(&mut self, call: &T, buffer: &mut Buffer) -> Result<usize, Errno> {
        let Some((heard, rest)) = self.heard.split_first() else {
            let mut message = [0; MAX];
            let len = wire::encode(call, &mut message);
            self.call = message[..len].to_vec();
            resume_unwind(Box::new(Unanswered));
        };
        self.heard = rest;
        let bytes = heard.as_ref().map_err(|errno| *errno)?;
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl<S: Server> Served<S> {
    /// One that sleeps.
    pub fn new(server: S) -> Served<S> {
        let digest = digest(&server);
        Served::Idle(Rc::new(Kept { server, digest }))
    }

    /// It, while it sleeps.
    pub fn idle(&self) -> Option<&S> {
        match self {
            Served::Idle(kept) => Some(&kept.server),
            Served::Calling(_) => None,
        }
    }

    /// The call that it waits for the answer to.
    pub fn call(&self) -> Option<&[u8]> {
        match self {
            Served::Idle(_) => None,
            Served::Calling(calling) => Some(&calling.call),
        }
    }

    /// Whose message it is at.
    pub fn client(&self) -> Option<TaskId> {
        match self {
            Served::Calling(calling) => match calling.job {
                Job::Client(client, ..) => Some(client),
                _ => None,
            },
            Served::Idle(_) => None,
        }
    }

    /// It wakes up; its answer, if that is all of it.
    pub fn start(&mut self, job: Job) -> Option<[u64; 4]> {
        let Served::Idle(before) = self else {
            panic!("woken while it is at work");
        };
        let before = before.clone();
        self.run(before, job, Vec::new())
    }

    /// It is answered and goes on; its own answer, if it is done.
    pub fn hear(&mut self, answer: Heard) -> Option<[u64; 4]> {
        let Served::Calling(calling) = self else {
            panic!("answered and did not call");
        };
        let calling = calling.clone();
        let mut heard = calling.heard.clone();
        heard.push(answer);
        self.run(calling.before.clone(), calling.job.clone(), heard)
    }

    fn run(&mut self, before: Rc<Kept<S>>, job: Job, heard: Vec<Heard>) -> Option<[u64; 4]> {
        let mut outside = Outside {
            heard: &heard,
            call: Vec::new(),
        };
        let done = catch_unwind(AssertUnwindSafe(|| {
            let mut server = before.server.clone();
            let answer = server.work(&job, &mut outside);
            (server, answer)
        }));
        match done {
            Ok((server, answer)) => {
                *self = Served::new(server);
                answer
            }
            Err(payload) if payload.is::<Unanswered>() => {
                let call = outside.call;
                let digest = digest(&(before.digest, &job, &heard));
                *self = Served::Calling(Rc::new(Calling {
                    before,
                    job,
                    heard,
                    call,
                    digest,
                }));
                None
            }
            Err(payload) => resume_unwind(payload),
        }
    }
}

impl<S> Hash for Served<S> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Served::Idle(kept) => (0u8, kept.digest).hash(hasher),
            Served::Calling(calling) => (1u8, calling.digest).hash(hasher),
        }
    }
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl Server for tracer::Tracer {
    fn work(&mut self, job: &Job, outside: &mut Outside<'_>) -> Option<[u64; 4]> {
        match job {
            Job::Reports => {
                self.on_reports(outside);
                None
            }
            Job::Client(client, label, words) => {
                Some(self.on_client(outside, *client, *label, *words))
            }
            Job::File(_) => panic!("the tracer has no files"),
        }
    }
}

impl tracer::Host for Outside<'_> {
    fn call(&mut self, call: &abi::tracer::Call, buffer: &mut Buffer) -> Result<usize, Errno> {
        self.ask(call, buffer)
    }
}

impl Server for fs::Fs {
    fn work(&mut self, job: &Job, outside: &mut Outside<'_>) -> Option<[u64; 4]> {
        let Job::File(message) = job else {
            panic!("the file server has no clients");
        };
        self.handle(outside, message);
        None
    }
}

impl fs::Host for Outside<'_> {
    fn call(&mut self, call: &abi::fs::Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        self.ask(call, buffer)
    }

    fn stdout(&mut self, _: &[u8]) {}

    fn stderr(&mut self, _: &[u8]) {}

    fn stdin(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn console_ack(&mut self) {}

    fn serial_write(&mut self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    fn serial_read(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn serial_ack(&mut self) {}
}
