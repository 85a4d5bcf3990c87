//! The tracer server on the kernel.
#![no_std]
#![no_main]

extern crate alloc;

mod kernel;

use abi::TaskId;
use alloc::boxed::Box;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use kernel::Kernel;
use rt::boot::Startup;
use rt::cap::Endpoint;
use rt::slots::tracer::{ENDPOINT, REPORTS_BADGE};
use rt::syscall::MessageInfo;
use tracer::Tracer;

rt::entry!(main);

/// The badge of whose message is being worked on, or 0. It is still there when the server has faulted and is
/// started again.
static AT_WORK_FOR: AtomicU64 = AtomicU64::new(0);

const OWN_ENDPOINT: Endpoint = Endpoint::at(ENDPOINT);

fn main(_: Startup) -> ! {
    let mut kernel = Kernel::new();
    let mut tracer = Box::new(Tracer::start(
        &mut kernel,
        TaskId::from_badge(AT_WORK_FOR.swap(0, Relaxed)),
    ));
    let mut received = OWN_ENDPOINT.recv();
    loop {
        let client = TaskId::from_badge(received.badge & !REPORTS_BADGE);
        if received.badge & REPORTS_BADGE != 0 {
            tracer.on_reports(&mut kernel);
            received = OWN_ENDPOINT.recv();
        } else if let Some(client) = client {
            kernel.heard += 1;
            AT_WORK_FOR.store(client.badge(), Relaxed);
            let label = received.info.label();
            let answer = tracer.on_client(&mut kernel, client, label, received.words);
            AT_WORK_FOR.store(0, Relaxed);
            received = OWN_ENDPOINT.reply_recv(ANSWER, answer);
        } else {
            received = OWN_ENDPOINT.recv();
        }
    }
}

/// Answers have four words, so that all of them travel in registers.
const ANSWER: MessageInfo = MessageInfo::new(0, 0, 4);
