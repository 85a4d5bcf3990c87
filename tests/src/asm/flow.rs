//! Statements that decide and repeat.

use super::{Label, Prog, Val};
use iced_x86::code_asm::*;

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// Equal.
    Equal,
    /// Not equal.
    Different,
    /// Less, as signed numbers.
    Less,
}

/// Something a program may do.
pub type Choice<'a> = Box<dyn FnOnce(&mut Prog) + 'a>;

impl Prog {
    /// Does `then` if two values compare so.
    pub fn when(
        &mut self,
        a: impl Into<Val>,
        is: Is,
        b: impl Into<Val>,
        then: impl FnOnce(&mut Prog),
    ) {
        self.either(a, is, b, then, |_| {});
    }

    /// Does the one or the other.
    pub fn either(
        &mut self,
        a: impl Into<Val>,
        is: Is,
        b: impl Into<Val>,
        then: impl FnOnce(&mut Prog),
        otherwise: impl FnOnce(&mut Prog),
    ) {
        let (no, end) = (self.label(), self.label());
        self.load(rcx, a.into());
        self.load(rdx, b.into());
        self.ok(|a| a.cmp(rcx, rdx));
        match is {
            Is::Equal => self.ok(|a| a.jne(no)),
            Is::Different => self.ok(|a| a.je(no)),
            Is::Less => self.ok(|a| a.jge(no)),
        }
        then(self);
        self.ok(|a| a.jmp(end));
        self.here(no);
        otherwise(self);
        self.here(end);
    }

    /// Does something so many times.
    pub fn times(&mut self, count: impl Into<Val>, body: impl FnOnce(&mut Prog)) {
        let counter = self.var();
        self.set(counter, count);
        let (again, end) = (self.label(), self.label());
        let again = self.here(again);
        self.ok(|a| a.cmp(qword_ptr(counter.0), 0));
        self.ok(|a| a.je(end));
        self.ok(|a| a.dec(qword_ptr(counter.0)));
        body(self);
        self.ok(|a| a.jmp(again));
        self.here(end);
    }

    /// Does something again and again; `body` gets the label to leave by.
    pub fn forever(&mut self, body: impl FnOnce(&mut Prog, Label)) {
        let (again, end) = (self.label(), self.label());
        let again = self.here(again);
        body(self, end);
        self.ok(|a| a.jmp(again));
        self.here(end);
    }

    /// Does one of some things, chosen at random.
    pub fn one_of(&mut self, choices: Vec<Choice<'_>>) {
        let chosen = self.var();
        self.choose(choices.len() as u64);
        self.store(chosen);
        let end = self.label();
        for (i, choice) in choices.into_iter().enumerate() {
            self.when(chosen, Is::Equal, i as u64, |p| {
                choice(p);
                p.ok(|a| a.jmp(end));
            });
        }
        self.here(end);
    }
}
