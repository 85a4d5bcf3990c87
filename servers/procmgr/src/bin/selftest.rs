//! A test of [`Machine`] on the kernel, in the place of the process manager.
//!
//! It makes tasks out of hand-written machine code and checks what the kernel does with them. It
//! ends the machine with status 0, or panics.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../kernel/mod.rs"]
#[allow(dead_code)] // What only the process manager needs.
mod kernel;

use abi::regs::TF;
use abi::wire::{Buffer, MAX};
use abi::{Regs, TaskId};
use kernel::{Incoming, Kernel};
use procmgr::machine::{BreakOn, Breakpoint, Frame, Machine, Mapping, Rights, SpaceIx, Stub};
use procmgr::{Access, Trap};
use rt::boot::Startup;

rt::entry!(main);

const SPACE: SpaceIx = SpaceIx(1);
const TASK: TaskId = TaskId::new(1, 1);
const OTHER: TaskId = TaskId::new(2, 1);
const CODE: u64 = 0x40_0000;
const DATA: u64 = 0x7f00_0000_0000;
const READ: Rights = Rights {
    write: false,
    execute: false,
};
const WRITE: Rights = Rights {
    write: true,
    execute: false,
};
const EXECUTE: Rights = Rights {
    write: false,
    execute: true,
};

fn main(startup: Startup) -> ! {
    let machine = startup
        .machine
        .expect("the root task describes the machine");
    let mut m = Kernel::new(&machine);
    let free = m.frames_free();
    rt::log!(
        "{free} frames free, {} pages of archive",
        machine.archive_pages
    );
    for (name, test) in TESTS {
        test(&mut m);
        assert_eq!(m.frames_free(), free, "{name} gives everything back");
        rt::log!("{name}: ok");
    }
    m.power_off(0);
    unreachable!("the machine is off")
}

type Test = fn(&mut Kernel);

const TESTS: &[(&str, Test)] = &[
    (
        "a_syscall_is_a_trap_with_all_registers",
        a_syscall_is_a_trap_with_all_registers,
    ),
    ("a_task_comes_back", a_task_comes_back),
    ("a_page_fault_is_retried", a_page_fault_is_retried),
    ("data_cannot_be_executed", data_cannot_be_executed),
    ("mappings_end_one_by_one", mappings_end_one_by_one),
    (
        "stepping_stops_after_each_instruction",
        stepping_stops_after_each_instruction,
    ),
    (
        "breakpoints_are_told_with_all_of_dr6",
        breakpoints_are_told_with_all_of_dr6,
    ),
    ("the_fpu_is_saved_and_loaded", the_fpu_is_saved_and_loaded),
    (
        "a_running_task_can_be_suspended",
        a_running_task_can_be_suspended,
    ),
    (
        "a_breakpoint_survives_suspension",
        a_breakpoint_survives_suspension,
    ),
    ("the_timer_comes", the_timer_comes),
    ("exec_moves_and_renames", exec_moves_and_renames),
    ("memory_is_had_back", memory_is_had_back),
    (
        "archive_pages_can_be_mapped_and_not_written",
        archive_pages_can_be_mapped_and_not_written,
    ),
    ("costs", costs),
];

/// One space with code and data, and one task in it.
struct World {
    code: (Frame, Mapping),
    data: (Frame, Mapping),
}

impl World {
    fn new(m: &mut Kernel, code: &[u8]) -> World {
        m.space_create(SPACE).unwrap();
        let code_frame = m.frame_alloc().unwrap();
        m.bytes_mut(code_frame)[..code.len()].copy_from_slice(code);
        let data_frame = m.frame_alloc().unwrap();
        let code = m.map(SPACE, CODE, code_frame, EXECUTE).unwrap();
        let data = m.map(SPACE, DATA, data_frame, WRITE).unwrap();
        m.thread_create(TASK, SPACE).unwrap();
        World {
            code: (code_frame, code),
            data: (data_frame, data),
        }
    }

    fn end(self, m: &mut Kernel) {
        m.thread_destroy(TASK);
        for (frame, mapping) in [self.code, self.data] {
            m.unmap(mapping);
            m.frame_free(frame);
        }
        m.space_destroy(SPACE);
    }
}

fn start() -> Regs {
    Regs {
        rip: CODE,
        rsp: DATA + 0x800,
        rflags: 0x202,
        rax: 1,
        rbx: 2,
        rcx: 3,
        rdx: u64::MAX,
        rsi: 5,
        rdi: 6,
        rbp: 7,
        r8: 8,
        r9: 9,
        r10: 10,
        r11: 11,
        r12: 12,
        r13: 13,
        r14: 14,
        r15: 15,
        fs_base: DATA + 16,
    }
}

/// The next trap of a task. Servers' requests are left unanswered.
/// The next trap.
fn next(m: &mut Kernel) -> (TaskId, Trap) {
    let (task, trap, _) = next_at(m);
    (task, trap)
}

/// The same, and the instruction it is at.
fn next_at(m: &mut Kernel) -> (TaskId, Trap, u64) {
    let mut buffer: Buffer = [0; MAX];
    loop {
        match m.receive(&mut (0, [0; 4]), &mut buffer) {
            Incoming::Trap(task, trap, ip) => return (task, trap, ip),
            Incoming::Request(server, _) => m.park(server),
            Incoming::Message(..) => panic!("no task of these says anything"),
            Incoming::Timer | Incoming::Console => {}
        }
    }
}

const UD: Trap = Trap::Exception { vector: 6, code: 0 };

fn a_syscall_is_a_trap_with_all_registers(m: &mut Kernel) {
    // syscall; syscall
    let world = World::new(m, &[0x0f, 0x05, 0x0f, 0x05]);
    m.resume(TASK, &start());
    assert_eq!(next(m), (TASK, UD));
    let regs = m.regs(TASK);
    assert_eq!(
        Regs {
            rflags: start().rflags,
            ..regs
        },
        start()
    );
    m.resume(TASK, &regs.after_syscall(-38));
    assert_eq!(next(m), (TASK, UD));
    let regs = m.regs(TASK);
    assert_eq!(
        (regs.rip, regs.rax, regs.rcx),
        (CODE + 2, -38_i64 as u64, CODE + 2)
    );
    let changed = Regs { r12: 99, ..regs };
    m.set_regs(TASK, &changed);
    assert_eq!(m.regs(TASK).r12, 99);
    world.end(m);
}

/// First its registers are set, from the ninth system call on it goes by its place in the page of stubs.
fn a_task_comes_back(m: &mut Kernel) {
    // 1: syscall; jmp 1b
    let world = World::new(m, &[0x0f, 0x05, 0xeb, 0xfc]);
    let called = |m: &mut Kernel, expected: Regs| {
        assert_eq!(next(m), (TASK, UD));
        let regs = m.regs(TASK);
        let rflags = regs.rflags;
        assert_eq!(regs, Regs { rflags, ..expected });
        regs
    };
    let again = |regs: Regs, result| Regs {
        rip: CODE,
        ..regs.after_syscall(result)
    };
    m.resume(TASK, &start());
    let mut regs = called(m, start());
    for result in 0..20 {
        m.resume_after_call(TASK, &regs, result);
        regs = called(m, again(regs, result));
    }
    // Who is stopped before it goes is back, and who is stopped on its way.
    m.resume_after_call(TASK, &regs, 77);
    m.suspend(TASK, |_, _| false);
    let back = m.regs(TASK);
    assert_eq!(back, regs.after_syscall(77));
    let place = 0x7fff_ffff_e400 + TASK.slot() as u64 % 48 * 64;
    for on_its_way in [place, place + 7, place + 14, place + 21] {
        let kernels = Regs {
            rip: on_its_way,
            rcx: back.rcx,
            ..regs
        };
        m.set_regs(TASK, &kernels);
        assert_eq!(m.regs(TASK), back);
    }
    m.set_regs(TASK, &Regs { rip: place, ..regs });
    m.retry(TASK);
    regs = called(m, again(regs, 77));
    m.resume_after_call(TASK, &regs, 78);
    m.suspend_for_good(TASK);
    assert_eq!(m.regs(TASK), regs.after_syscall(78));
    world.end(m);
}

fn a_page_fault_is_retried(m: &mut Kernel) {
    // mov [rsi], rax; mov rbx, [rsi]; mov [rsi], rbx; syscall
    let world = World::new(
        m,
        &[
            0x48, 0x89, 0x06, 0x48, 0x8b, 0x1e, 0x48, 0x89, 0x1e, 0x0f, 0x05,
        ],
    );
    let addr = 0x1234_5678_9000;
    m.resume(
        TASK,
        &Regs {
            rsi: addr,
            rax: 77,
            ..start()
        },
    );
    let fault = |present| Trap::PageFault {
        addr,
        access: Access::Write,
        present,
    };
    assert_eq!(next_at(m), (TASK, fault(false), CODE));
    let frame = m.frame_alloc().unwrap();
    let mapping = m.map(SPACE, addr, frame, READ).unwrap();
    m.retry(TASK);
    assert_eq!(next_at(m), (TASK, fault(true), CODE));
    m.protect(SPACE, mapping, WRITE);
    m.retry(TASK);
    assert_eq!(next(m), (TASK, UD));
    assert_eq!(m.words(frame)[0], 77);
    assert_eq!(m.regs(TASK).rbx, 77);
    m.unmap(mapping);
    m.resume(
        TASK,
        &Regs {
            rsi: addr,
            ..start()
        },
    );
    assert_eq!(next_at(m), (TASK, fault(false), CODE));
    m.frame_free(frame);
    world.end(m);
}

/// The kernel's fix P7.
fn data_cannot_be_executed(m: &mut Kernel) {
    let world = World::new(m, &[0x0f, 0x05]);
    let addr = DATA + 0x10_0000;
    let frame = m.frame_alloc().unwrap();
    m.bytes_mut(frame)[..2].copy_from_slice(&[0x0f, 0x05]);
    let mapping = m.map(SPACE, addr, frame, WRITE).unwrap();
    let regs = Regs {
        rip: addr,
        ..start()
    };
    m.resume(TASK, &regs);
    let fault = Trap::PageFault {
        addr,
        access: Access::Execute,
        present: true,
    };
    assert_eq!(next_at(m), (TASK, fault, addr));
    m.protect(SPACE, mapping, EXECUTE);
    m.retry(TASK);
    assert_eq!(next(m), (TASK, UD));
    m.unmap(mapping);
    m.frame_free(frame);
    world.end(m);
}

/// One frame in two places: the kernel is to end exactly the mapping that is meant.
fn mappings_end_one_by_one(m: &mut Kernel) {
    // mov [rsi], rax; mov [rdi], rax; syscall
    let world = World::new(m, &[0x48, 0x89, 0x06, 0x48, 0x89, 0x07, 0x0f, 0x05]);
    let (a, b) = (DATA + 0x10_0000, DATA + 0x20_0000);
    let frame = m.frame_alloc().unwrap();
    let regs = Regs {
        rsi: a,
        rdi: b,
        ..start()
    };
    let fault = |addr| Trap::PageFault {
        addr,
        access: Access::Write,
        present: false,
    };
    for _ in 0..2 {
        let first = m.map(SPACE, a, frame, WRITE).unwrap();
        let second = m.map(SPACE, b, frame, WRITE).unwrap();
        m.resume(TASK, &regs);
        assert_eq!(next(m), (TASK, UD));
        m.unmap(first);
        m.resume(TASK, &regs);
        assert_eq!(next_at(m), (TASK, fault(a), CODE));
        let first = m.map(SPACE, a, frame, WRITE).unwrap();
        m.unmap(second);
        m.retry(TASK);
        assert_eq!(next_at(m), (TASK, fault(b), CODE + 3));
        m.unmap(first);
    }
    m.frame_free(frame);
    world.end(m);
}

fn stepping_stops_after_each_instruction(m: &mut Kernel) {
    // nop; nop; int3; syscall
    let world = World::new(m, &[0x90, 0x90, 0xcc, 0x0f, 0x05]);
    m.step(TASK, true);
    m.resume(TASK, &start());
    assert_eq!(next_at(m), (TASK, Trap::Step, CODE + 1));
    let regs = m.regs(TASK);
    assert_eq!(regs.rip, CODE + 1);
    m.resume(TASK, &regs);
    assert_eq!(next_at(m), (TASK, Trap::Step, CODE + 2));
    // Whose registers nobody looks at.
    m.retry(TASK);
    assert_eq!(next_at(m), (TASK, Trap::Int3, CODE + 3));
    assert_eq!(m.regs(TASK).rip, CODE + 3);
    m.step(TASK, false);
    m.retry(TASK);
    assert_eq!(next_at(m), (TASK, UD, CODE + 3));
    world.end(m);
}

fn breakpoints_are_told_with_all_of_dr6(m: &mut Kernel) {
    // mov [rdi], rax; nop; syscall
    let world = World::new(m, &[0x48, 0x89, 0x07, 0x90, 0x0f, 0x05]);
    let on = |addr, on| Some(Breakpoint { addr, on });
    let written = on(DATA, BreakOn::Write(8));
    let executed = on(CODE + 3, BreakOn::Execute);
    m.set_breakpoints(TASK, &[written, None, None, executed]);
    let start = Regs {
        rdi: DATA,
        ..start()
    };
    let hit = |status| (TASK, Trap::Breakpoint { status }, CODE + 3);
    m.resume(TASK, &start);
    assert_eq!(next_at(m), hit(1));
    m.retry(TASK);
    assert_eq!(next_at(m), hit(8));
    m.retry(TASK);
    assert_eq!(next_at(m), (TASK, UD, CODE + 4));
    // A stub touches what is watched without being stopped.
    m.run_stub(TASK, Stub::FpuSave, DATA);
    assert_eq!(next(m), (TASK, Trap::StubDone));
    m.step(TASK, true);
    m.resume(TASK, &start);
    assert_eq!(next_at(m), hit(0x4001));
    m.retry(TASK);
    assert_eq!(next_at(m), hit(8));
    m.retry(TASK);
    assert_eq!(next_at(m), (TASK, Trap::Step, CODE + 4));
    m.set_breakpoints(TASK, &[None; 4]);
    m.step(TASK, false);
    m.resume(TASK, &start);
    assert_eq!(next_at(m), (TASK, UD, CODE + 4));
    world.end(m);
}

fn the_fpu_is_saved_and_loaded(m: &mut Kernel) {
    // movq xmm3, rax; syscall; movq rbx, xmm3; syscall
    let world = World::new(
        m,
        &[
            0x66, 0x48, 0x0f, 0x6e, 0xd8, 0x0f, 0x05, 0x66, 0x48, 0x0f, 0x7e, 0xdb, 0x0f, 0x05,
        ],
    );
    let frame = world.data.0;
    let area = DATA + 0x400;
    let xmm3 = (0x400 + 160 + 3 * 16) / 8;
    m.step(TASK, true);
    m.resume(
        TASK,
        &Regs {
            rax: 0xcafe,
            ..start()
        },
    );
    assert_eq!(next(m), (TASK, Trap::Step));
    let regs = m.regs(TASK);

    m.run_stub(TASK, Stub::FpuSaveInit, area);
    assert_eq!(next(m), (TASK, Trap::StubDone));
    assert_eq!(m.words(frame)[xmm3], 0xcafe);
    m.run_stub(TASK, Stub::FpuSave, area + 0x200);
    assert_eq!(next(m), (TASK, Trap::StubDone));
    assert_eq!(m.words(frame)[xmm3 + 0x40], 0);
    assert_eq!(m.words(frame)[(0x600 + 24) / 8] as u32, 0x1f80);
    assert_eq!(m.words(frame)[0x600 / 8] as u16, 0x37f);

    m.words_mut(frame)[xmm3] = 0xf00d;
    m.run_stub(TASK, Stub::FpuLoad, area);
    assert_eq!(next(m), (TASK, Trap::StubDone));
    m.step(TASK, false);
    assert_ne!(regs.rflags & TF, 0, "the step's own");
    let regs = Regs {
        rflags: regs.rflags & !TF,
        ..regs
    };
    m.resume(
        TASK,
        &Regs {
            rip: CODE + 7,
            ..regs
        },
    );
    assert_eq!(next(m), (TASK, UD));
    assert_eq!(m.regs(TASK).rbx, 0xf00d);

    m.run_stub(TASK, Stub::FpuInit, 0);
    assert_eq!(next(m), (TASK, Trap::StubDone));
    m.resume(
        TASK,
        &Regs {
            rip: CODE + 7,
            ..regs
        },
    );
    assert_eq!(next(m), (TASK, UD));
    assert_eq!(m.regs(TASK).rbx, 0);
    world.end(m);
}

fn a_running_task_can_be_suspended(m: &mut Kernel) {
    // 1: inc rbx; jmp 1b
    let world = World::new(m, &[0x48, 0xff, 0xc3, 0xeb, 0xfb]);
    m.resume(TASK, &start());
    // The computer below may have been busy with something else for any part of the time.
    for _ in 0..100 {
        pass(m, 10_000_000);
        if m.cpu_time(TASK).user > 5_000_000 {
            break;
        }
    }
    m.suspend(TASK, |_, _| false);
    let regs = m.regs(TASK);
    assert!(regs.rbx > 1000, "it has run: {}", regs.rbx);
    let cpu = m.cpu_time(TASK);
    assert!(cpu.user > 5_000_000, "{cpu:?}");
    pass(m, 5_000_000);
    assert_eq!(m.regs(TASK).rbx, regs.rbx);
    world.end(m);
}

/// Lets so many nanoseconds pass, in which others run.
fn pass(m: &mut Kernel, time: u64) {
    let deadline = m.now() + time;
    m.set_timer(Some(deadline));
    let mut buffer: Buffer = [0; MAX];
    loop {
        match m.receive(&mut (0, [0; 4]), &mut buffer) {
            Incoming::Timer => break,
            Incoming::Request(server, _) => m.park(server),
            Incoming::Message(..) => panic!("no task of these says anything"),
            other => panic!("only time passes, but {other:?}"),
        }
    }
    assert!(m.now() >= deadline);
    assert!(m.now() < deadline + 200_000_000, "the timer is late");
}

fn a_breakpoint_survives_suspension(m: &mut Kernel) {
    // int3; syscall
    let world = World::new(m, &[0xcc, 0x0f, 0x05]);
    m.resume(TASK, &start());
    // It reaches its breakpoint while nobody receives.
    for _ in 0..3 {
        rt::syscall::yield_now();
    }
    m.suspend(TASK, |m, ip| {
        assert_eq!(ip, CODE + 1);
        assert_eq!(m.regs(TASK).rip, ip);
        true
    });
    let regs = m.regs(TASK);
    assert_eq!(regs.rip, CODE);
    m.resume(TASK, &regs);
    assert_eq!(next(m), (TASK, Trap::Int3));

    m.step(TASK, true);
    m.resume(
        TASK,
        &Regs {
            rip: CODE + 1,
            rflags: 2,
            ..start()
        },
    );
    for _ in 0..3 {
        rt::syscall::yield_now();
    }
    m.suspend(TASK, |_, _| panic!("the thread is stepped"));
    let regs = m.regs(TASK);
    m.step(TASK, false);
    m.resume(TASK, &regs);
    assert_eq!(next(m), (TASK, UD));
    world.end(m);
}

fn the_timer_comes(m: &mut Kernel) {
    let start = m.now();
    for millis in [1, 3, 70] {
        pass(m, millis * 1_000_000);
    }
    assert!(m.now() - start >= 74_000_000);
    // Withdrawn: nothing comes but the next one.
    let now = m.now();
    m.set_timer(Some(now + 1_000_000));
    m.set_timer(None);
    pass(m, 4_000_000);
}

fn exec_moves_and_renames(m: &mut Kernel) {
    let world = World::new(m, &[0x0f, 0x05]);
    m.resume(TASK, &start());
    assert_eq!(next(m), (TASK, UD));
    let new = SpaceIx(2);
    m.space_create(new).unwrap();
    let (frame, data) = (world.code.0, world.data);
    let mapping = m.map(new, CODE + 0x1000, frame, EXECUTE).unwrap();
    m.thread_move(TASK, new);
    m.thread_rename(TASK, OTHER);
    m.resume(
        OTHER,
        &Regs {
            rip: CODE + 0x1000,
            ..start()
        },
    );
    assert_eq!(next(m), (OTHER, UD));
    m.thread_move(OTHER, SPACE);
    m.unmap(mapping);
    m.space_destroy(new);
    m.thread_rename(OTHER, TASK);
    World { data, ..world }.end(m);
}

/// More frames than the machine hands out at a time, and then everything as other objects.
fn memory_is_had_back(m: &mut Kernel) {
    let before = m.frames_free();
    let mut frames = alloc::vec::Vec::new();
    while frames.len() < 3000 {
        let frame = m.frame_alloc().expect("there is more memory");
        assert!(m.words(frame).iter().all(|&word| word == 0));
        m.words_mut(frame).fill(!0);
        frames.push(frame);
    }
    assert_eq!(m.frames_free(), before - 3000);
    for frame in frames.drain(..) {
        m.frame_free(frame);
    }
    let frame = m.frame_alloc().expect("there is memory");
    assert!(m.words(frame).iter().all(|&word| word == 0));
    m.frame_free(frame);
    for space in 10..600 {
        m.space_create(SpaceIx(space)).expect("there is memory");
    }
    for space in 10..600 {
        m.space_destroy(SpaceIx(space));
    }
}

fn archive_pages_can_be_mapped_and_not_written(m: &mut Kernel) {
    // mov rbx, [rsi]; mov [rsi], rbx
    let world = World::new(m, &[0x48, 0x8b, 0x1e, 0x48, 0x89, 0x1e]);
    let frame = m.archive_frame(0).expect("there is an archive");
    assert_eq!(m.bytes(frame)[..8], abi::archive::MAGIC);
    assert_eq!(m.archive_frame(u32::MAX / 4096), None);
    let addr = DATA + 0x10_0000;
    let mapping = m.map(SPACE, addr, frame, WRITE).unwrap();
    m.resume(
        TASK,
        &Regs {
            rsi: addr,
            ..start()
        },
    );
    let fault = Trap::PageFault {
        addr,
        access: Access::Write,
        present: true,
    };
    assert_eq!(next_at(m), (TASK, fault, CODE + 3));
    assert_eq!(m.regs(TASK).rbx.to_le_bytes(), abi::archive::MAGIC);
    m.unmap(mapping);
    world.end(m);
}

/// Tells what things cost, in ticks: under instruction counting these are instructions.
fn costs(m: &mut Kernel) {
    const TIMES: u64 = 64;
    fn measure(name: &str, m: &mut Kernel, mut f: impl FnMut(&mut Kernel, u64)) {
        let start = rt::clock::ticks();
        for n in 0..TIMES {
            f(m, n);
        }
        rt::log!("  {name}: {}", (rt::clock::ticks() - start) / TIMES);
    }
    // 1: syscall; jmp 1b
    let world = World::new(m, &[0x0f, 0x05, 0xeb, 0xfc]);
    m.resume(TASK, &start());
    measure("system call: trap, read, resume", m, |m, _| {
        assert_eq!(next(m), (TASK, UD));
        let regs = m.regs(TASK);
        m.resume(TASK, &regs.after_syscall(0));
    });
    assert_eq!(next(m), (TASK, UD));
    let frame = m.frame_alloc().unwrap();
    let mut mappings = alloc::vec::Vec::new();
    measure("map again", m, |m, n| {
        mappings.push(
            m.map(SPACE, DATA + 0x10_0000 + n * 4096, frame, WRITE)
                .unwrap(),
        );
    });
    measure("protect", m, |m, n| {
        m.protect(SPACE, mappings[n as usize], READ)
    });
    measure("unmap again", m, |m, n| m.unmap(mappings[n as usize]));
    measure(
        "map and unmap a frame that is mapped nowhere else",
        m,
        |m, _| {
            let mapping = m.map(SPACE, DATA + 0x10_0000, frame, WRITE).unwrap();
            m.unmap(mapping);
        },
    );
    m.frame_free(frame);
    measure("frame: alloc used, free", m, |m, _| {
        let frame = m.frame_alloc().unwrap();
        m.frame_free(frame);
    });
    measure("space and thread: create, destroy", m, |m, _| {
        m.space_create(SpaceIx(9)).unwrap();
        m.thread_create(OTHER, SpaceIx(9)).unwrap();
        m.thread_destroy(OTHER);
        m.space_destroy(SpaceIx(9));
    });
    measure("thread: create, destroy", m, |m, _| {
        m.thread_create(OTHER, SPACE).unwrap();
        m.thread_destroy(OTHER);
    });
    measure("now", m, |m, _| {
        m.now();
    });
    measure("notify the tracer", m, |m, _| m.notify_tracer());
    world.end(m);
}
