//! A conversation with gdb: bytes come in, requests are carried out on the target, answers go out.
//! Whoever has the connection moves the bytes; nothing here reads or writes them.

mod dispatch;
mod lldb;
mod memory;
mod monitor;
mod processes;
mod programs;
mod queries;
mod registers;
mod resume;
mod settings;
mod stop_reply;
mod symbols;
mod threads;

use std::collections::VecDeque;

use libtrace::Errno;

use crate::files::Files;
use crate::packet::{self, Decoder, Input, ThreadId};
use crate::target::{News, Target, Wants};

pub use programs::Programs;
use threads::Selected;

/// A conversation.
#[derive(Debug)]
pub struct Session {
    /// What is debugged.
    pub target: Target,
    programs: Programs,
    decoder: Decoder,
    output: Vec<u8>,
    /// The last packet, for the case that it comes damaged.
    last: Vec<u8>,
    /// Packets are acknowledged.
    acknowledge: bool,
    features: Features,
    /// The other end has said what it can do.
    greeted: bool,
    phase: Phase,
    /// The signal that a halt is reported as which nothing else explains.
    reason: Option<i32>,
    /// ^C came with other news, after which gdb may have gone on by itself: it comes again with the next
    /// resume, as the SIGINT of a terminal would.
    interrupt_is_due: bool,
    /// Tasks stop one by one, and gdb is told by notifications.
    non_stop: bool,
    /// Stops that gdb will fetch, the first of which it knows of.
    notices: VecDeque<News>,
    selected: Selected,
    /// Whom the older packets resume.
    resumed: ThreadId,
    files: Files,
    /// The object that is being read, piece by piece.
    object: Option<(String, String, Vec<u8>)>,
    /// The other end has said that it is gone.
    gone: bool,
    /// There is nothing more to do.
    over: bool,
}

/// What gdb can do.
#[derive(Clone, Copy, Debug, Default)]
struct Features {
    multiprocess: bool,
    software_breakpoints: bool,
    hardware_breakpoints: bool,
    execs: bool,
    nobody_left: bool,
}

/// What the target as a whole does. Without non-stop, gdb waits while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It stands still, and gdb has been told.
    Still,
    /// It runs, and gdb waits for news.
    Running,
    /// There are news; the others are being stopped.
    Halting,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Ok,
    /// Nothing here knows the request.
    Unsupported,
    Error(Errno),
    Bytes(Vec<u8>),
    /// It comes when there are news.
    Later,
}

impl Answer {
    fn text(text: impl Into<String>) -> Answer {
        Answer::Bytes(text.into().into_bytes())
    }
}

impl From<libtrace::Result<()>> for Answer {
    fn from(result: libtrace::Result<()>) -> Answer {
        result.map_or_else(Answer::Error, |()| Answer::Ok)
    }
}

impl Session {
    /// A conversation about `target`. `programs` is what gdb may start.
    pub fn new(target: Target, programs: Programs) -> Session {
        Session {
            target,
            programs,
            decoder: Decoder::default(),
            output: Vec::new(),
            last: Vec::new(),
            acknowledge: true,
            features: Features::default(),
            greeted: false,
            phase: Phase::Still,
            reason: None,
            interrupt_is_due: false,
            non_stop: false,
            notices: VecDeque::new(),
            selected: Selected::default(),
            resumed: ThreadId::ALL,
            files: Files::default(),
            object: None,
            gone: false,
            over: false,
        }
    }

    /// Takes bytes from the connection.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// What is to be sent.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Whether the other end has said that it is gone.
    pub fn hung_up(&self) -> bool {
        self.gone || self.decoder.hung_up()
    }

    /// Whether gdb wants this program to end.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether nothing can happen before gdb asks for it.
    pub fn waits_for_requests(&self) -> bool {
        !self.non_stop && self.phase == Phase::Still
    }

    /// Whether tasks are being stopped, which should not take long.
    pub fn is_impatient(&self) -> bool {
        self.phase == Phase::Halting
    }

    /// Stopping takes longer than it should.
    pub fn lose_patience(&mut self) {
        self.target.find_those_beyond();
    }

    /// The connection is gone. What is debugged stays as it is.
    pub fn disconnected(&mut self) {
        self.decoder = Decoder::default();
        self.output.clear();
        self.gone = false;
        self.interrupt_is_due = false;
        self.files.close_all();
        self.begin();
    }

    /// Somebody begins to talk, of whom nothing is known.
    fn begin(&mut self) {
        self.acknowledge = true;
        self.features = Features::default();
        self.greeted = false;
        self.target.wants = Wants::default();
        self.object = None;
        self.notices.clear();
    }

    /// Lets everything go, as it would be without us.
    pub fn let_go(&mut self) {
        self.target.detach_all();
        self.phase = Phase::Still;
    }

    /// Does what can be done without waiting.
    pub fn work(&mut self) {
        loop {
            self.advance();
            if self.waits() {
                if !self.decoder.pop_interrupt() {
                    return;
                }
                self.interrupt();
            } else {
                match self.decoder.pop() {
                    Some(input) => self.take(input),
                    None => return,
                }
            }
        }
    }

    /// Whether gdb waits for news and does not ask anything before.
    fn waits(&self) -> bool {
        !self.non_stop && self.phase != Phase::Still
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Packet(packet) => {
                if packet.starts_with(b"qSupported") && std::mem::replace(&mut self.greeted, true) {
                    // Nobody says it twice: the line could not tell that the one before has gone.
                    self.begin();
                    self.greeted = true;
                }
                if self.acknowledge {
                    self.output.push(b'+');
                }
                let answer = self.answer(&packet);
                self.reply(answer);
            }
            Input::Damaged if self.acknowledge => self.output.push(b'-'),
            Input::Again if self.acknowledge => self.output.extend_from_slice(&self.last),
            Input::Damaged | Input::Again => {}
            Input::HangUp => self.gone = true,
            Input::Interrupt if self.non_stop => self.interrupt(),
            // Everything has stopped already, and gdb has been told.
            Input::Interrupt => {}
        }
    }

    fn reply(&mut self, answer: Answer) {
        match answer {
            Answer::Ok => self.send(b"OK"),
            Answer::Unsupported => self.send(b""),
            Answer::Error(errno) => self.send(format!("E{:02x}", errno.0.min(255)).as_bytes()),
            Answer::Bytes(bytes) => self.send(&bytes),
            Answer::Later => {}
        }
    }

    fn send(&mut self, payload: &[u8]) {
        self.last = packet::packet(payload);
        self.output.extend_from_slice(&self.last);
    }
}
