//! Core dumps, under seeds.

use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::regs::USER_REGS_WORDS;
use abi::signal::*;
use iced_x86::code_asm::*;
use object::elf::{self, FileHeader64, NT_FILE, NT_PRFPREG, NT_PRSTATUS};
use object::endian::LittleEndian as Le;
use object::read::elf::{FileHeader, ProgramHeader};
use world::asm::{Entry, exited, stopped};
use world::{Boot, Prog, Val, Var, World, under_seeds};

/// The flag of a wait status.
const DUMPED: i32 = 0x80;
/// Where the registers are in NT_PRSTATUS, and some of them.
const REGISTERS: usize = 112;
const RBX: usize = 5;
const RAX: usize = 10;
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
const XMM3: usize = 160 + 3 * 16;

/// A core file taken apart.
struct Core {
    notes: Vec<(u32, Vec<u8>)>,
    /// Address, size in memory, bytes in the file.
    memory: Vec<(u64, u64, Vec<u8>)>,
}

impl Core {
    fn read(file: &[u8]) -> Core {
        let header = FileHeader64::<Le>::parse(file).expect("an ELF file");
        assert_eq!(header.e_type(Le), elf::ET_CORE);
        let headers = header.program_headers(Le, file).expect("headers");
        let mut core = Core {
            notes: Vec::new(),
            memory: Vec::new(),
        };
        for h in headers {
            let bytes = h.data(Le, file).expect("bytes that are in the file");
            if let Some(mut notes) = h.notes(Le, file).expect("notes") {
                while let Some(note) = notes.next().expect("a whole note") {
                    assert_eq!(note.name(), b"CORE");
                    core.notes.push((note.n_type(Le), note.desc().to_vec()));
                }
            } else {
                let (at, size) = (h.p_vaddr(Le), h.p_memsz(Le));
                core.memory.push((at, size, bytes.to_vec()));
            }
        }
        core
    }

    fn notes(&self, kind: u32) -> Vec<&[u8]> {
        let of_kind = self.notes.iter().filter(|(k, _)| *k == kind);
        of_kind.map(|(_, bytes)| &bytes[..]).collect()
    }

    /// The registers of each thread.
    fn registers(&self) -> Vec<[u64; USER_REGS_WORDS]> {
        let words = |status: &[u8]| std::array::from_fn(|i| word(status, REGISTERS + 8 * i));
        self.notes(NT_PRSTATUS).into_iter().map(words).collect()
    }

    fn word(&self, addr: u64) -> u64 {
        let (at, _, bytes) = self
            .memory
            .iter()
            .find(|(at, _, bytes)| (*at..*at + bytes.len() as u64).contains(&addr))
            .expect("memory that is in the file");
        word(bytes, (addr - at) as usize)
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The first process goes to /tmp, raises the limit, does `body`, and takes the core away again.
fn world_of(entry: Entry, limit: u64, body: impl Fn(&mut Prog)) -> Boot {
    let first = Prog::tracing(entry, |p| {
        p.chdir("/tmp");
        p.limit(g::RLIMIT_CORE, limit);
        body(p);
        p.unlink("core");
    });
    Boot::new(vec![("first", first), ("seven", Prog::of(|p| p.exit(7)))])
}

fn run(boot: &Boot, seed: u64) -> World {
    let mut world = World::new(boot, seed);
    assert_eq!(world.run_to_the_end(), exited(0));
    world
}

fn crash(p: &mut Prog) {
    p.ok(|a| a.xor(r15, r15));
    p.ok(|a| a.mov(rax, qword_ptr(r15)));
}

#[test]
fn a_core_has_every_threads_registers_and_the_memory() {
    let marks = std::cell::Cell::new((0, 0, 0));
    let boot = world_of(Entry::SystemCall, u64::MAX, |p| {
        let (child, ready, mark, at) = (p.var(), p.var(), p.var(), p.var());
        let (read, write, buffer) = (p.var(), p.var(), p.page());
        marks.set((mark.0, at.0, ready.0));
        p.fork(|p| {
            p.set(mark, 0x1234_5678);
            // Far apart, with a hole between them.
            p.mmap(8 << 20, g::PROT_READ | g::PROT_WRITE);
            p.store(at);
            p.set_at(at, 77);
            p.pipe(read, write);
            p.thread(|p| {
                p.ok(|a| a.mov(rbx, 0x2222u64));
                p.ok(|a| a.mov(rax, 0x0b0bu64));
                p.ok(|a| a.movq(xmm3, rax));
                p.add(ready, 1);
                p.read(read, buffer, 1);
            });
            p.thread(|p| {
                p.ok(|a| a.mov(rbx, 0x3333u64));
                p.ok(|a| a.mov(rax, 0x0c0cu64));
                p.ok(|a| a.movq(xmm3, rax));
                p.spin();
            });
            p.ok(|a| a.mov(rbx, 0x1111u64));
            p.ok(|a| a.mov(rax, 0x0a0au64));
            p.ok(|a| a.movq(xmm3, rax));
            p.spin_until(ready);
            crash(p);
        });
        p.store(child);
        p.wait_for(child, i32::from(SIGSEGV) | DUMPED);
        p.show("core");
    });
    let (mark, at, ready) = marks.get();
    under_seeds(200, |seed| {
        let core = Core::read(&run(&boot, seed).output);
        let registers = core.registers();
        let marks: Vec<u64> = registers.iter().map(|r| r[RBX]).collect();
        assert_eq!(marks[0], 0x1111, "the one that took the signal is first");
        assert_eq!((marks.len(), core.word(ready)), (3, 1));
        let fpu = core.notes(NT_PRFPREG);
        for (thread, fpu) in registers.iter().zip(fpu) {
            let expected = match thread[RBX] {
                0x1111 => 0x0a0a,
                0x2222 => 0x0b0b,
                // The third may have got anywhere.
                _ => continue,
            };
            assert_eq!(word(fpu, XMM3), expected);
            if thread[ORIG_RAX] == u64::from(g::__NR_read) {
                assert_eq!(thread[RAX] as i64, -512, "it slept in a call");
            }
        }
        assert_eq!(registers[0][ORIG_RAX] as i64, -1);
        assert_eq!(core.word(mark), 0x1234_5678);
        assert_eq!(core.word(core.word(at)), 77);
        let signal = core.notes(elf::NT_SIGINFO)[0];
        assert_eq!((signal[0], signal[8], word(signal, 16)), (SIGSEGV, 1, 0));
        let files = core.notes(NT_FILE)[0];
        assert!(files.windows(10).any(|w| w == b"/bin/first"));
        assert!(registers[0][RIP] > 0x40_0000);
    });
}

#[test]
fn there_is_no_core_without_limit_leave_or_room() {
    for (limit, prepare) in [
        (0, (|_| {}) as fn(&mut Prog)),
        (4095, |_| {}),
        (u64::MAX, |p| p.sys(g::__NR_prctl, &[4.into(), 0.into()])),
        (u64::MAX, |p| p.chdir("/bin")),
        (u64::MAX, |p| p.sys(g::__NR_umask, &[0o777.into()])),
        (u64::MAX, |p| {
            let path = p.string("core");
            p.sys(g::__NR_mkdir, &[path.into(), 0o755.into()]);
        }),
    ] {
        let boot = world_of(Entry::SystemCall, limit, |p| {
            let child = p.var();
            p.fork(|p| {
                prepare(p);
                crash(p);
            });
            p.store(child);
            p.wait_for(child, SIGSEGV.into());
            let path = p.string("core");
            p.sys(g::__NR_rmdir, &[path.into()]);
        });
        under_seeds(20, |seed| drop(run(&boot, seed)));
    }
}

#[test]
fn an_old_core_is_replaced_and_a_link_not_followed() {
    let boot = world_of(Entry::SystemCall, u64::MAX, |p| {
        let (child, fd) = (p.var(), p.var());
        p.open("precious", g::O_CREAT | g::O_WRONLY, 0o644);
        p.store(fd);
        let text = p.bytes(b"kept");
        p.write(fd, text, 4);
        p.close(fd);
        let (precious, core) = (p.string("precious"), p.string("core"));
        p.sys(g::__NR_symlink, &[precious.into(), core.into()]);
        for _ in 0..2 {
            p.fork(|p| {
                p.getpid();
                p.kill(Val::Rax, SIGQUIT);
            });
            p.store(child);
            p.wait_for(child, i32::from(SIGQUIT) | DUMPED);
        }
        p.show("precious");
        p.unlink("precious");
        p.show("core");
    });
    under_seeds(50, |seed| {
        let world = run(&boot, seed);
        let (precious, core) = world.output.split_at(4);
        assert_eq!(precious, b"kept");
        let core = Core::read(core);
        assert_eq!(core.registers()[0][ORIG_RAX], u64::from(g::__NR_kill));
    });
}

#[test]
fn a_limit_cuts_the_file_and_the_flag_stays() {
    for limit in [4096u64, 8192, 12_345, 40_960] {
        let boot = world_of(Entry::SystemCall, limit, |p| {
            let child = p.var();
            p.fork(|p| {
                let at = p.var();
                p.mmap(1 << 20, g::PROT_READ | g::PROT_WRITE);
                p.store(at);
                for _ in 0..20 {
                    p.set_at(at, 1);
                    p.add(at, 4096);
                }
                crash(p);
            });
            p.store(child);
            p.wait_for(child, i32::from(SIGSEGV) | DUMPED);
            p.show("core");
        });
        under_seeds(20, |seed| {
            let world = run(&boot, seed);
            // Holes are free, so it may be longer than the limit.
            assert!(world.output.starts_with(b"\x7fELF"));
            let pages = world.output.chunks(4096);
            let filled = pages.filter(|page| page.iter().any(|b| *b != 0)).count();
            assert!(filled as u64 <= limit.div_ceil(4096), "{filled} pages");
        });
    }
}

#[test]
fn sigkill_ends_a_dump_at_any_moment() {
    for entry in Entry::ALL {
        let boot = world_of(entry, u64::MAX, |p| {
            let (child, status) = (p.var(), p.var());
            p.fork(|p| {
                p.thread(|p| p.spin());
                p.thread(|p| p.sleep(5_000_000_000));
                p.vfork(|p| p.exec("/bin/seven"));
                crash(p);
            });
            p.store(child);
            p.choose(200_000);
            let nap = p.words(&[0, 0]);
            p.store(Var(nap + 8));
            p.sys(g::__NR_nanosleep, &[nap.into(), 0.into()]);
            p.kill(child, SIGKILL);
            p.wait4(child, status, 0);
            p.note(status);
        });
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        under_seeds(400, |seed| {
            let world = run(&boot, seed);
            let status = world.noted()[0] as i32;
            let fine = [
                i32::from(SIGKILL),
                i32::from(SIGSEGV),
                i32::from(SIGSEGV) | DUMPED,
            ];
            assert!(fine.contains(&status), "{status:x}");
            seen.borrow_mut().insert(status);
        });
        assert!(seen.borrow().len() >= 2, "{:?}", seen.borrow());
    }
}

#[test]
fn a_tracer_sees_the_signal_then_the_exit_with_the_flag() {
    for entry in Entry::ALL {
        let boot = world_of(entry, u64::MAX, |p| {
            let child = p.var();
            p.traced_child(child, |p| {
                p.thread(|p| p.spin());
                crash(p);
            });
            p.ptrace_ok(nr::PTRACE_SETOPTIONS, child, 0, nr::PTRACE_O_TRACEEXIT);
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGSEGV.into()));
            p.cont(child, SIGSEGV);
            p.wait_for(child, stopped(u32::from(SIGTRAP) | 6 << 8));
            let message = p.var();
            p.ptrace_ok(nr::PTRACE_GETEVENTMSG, child, 0, message.0);
            p.check(message, i32::from(SIGSEGV) | DUMPED);
            p.cont(child, 0);
            p.wait_for(child, i32::from(SIGSEGV) | DUMPED);
        });
        under_seeds(100, |seed| drop(run(&boot, seed)));
    }
}

#[test]
fn a_dump_in_too_little_memory_is_short_and_hurts_nobody() {
    let boot = world_of(Entry::SystemCall, u64::MAX, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| {
            let at = p.var();
            p.mmap(1 << 20, g::PROT_READ | g::PROT_WRITE);
            p.store(at);
            p.times(100, |p| {
                p.set_at(at, 1);
                p.add(at, 4096);
            });
            crash(p);
        });
        p.store(child);
        p.wait4(child, status, 0);
        p.note(status);
    });
    under_seeds(40, |seed| {
        let mut world = World::with_frames(&boot, seed, 180 + seed as u32 * 2);
        let status = world.run();
        if status == exited(0) {
            world.settle();
            world::invariants::check_end(&world.seen());
        }
    });
}
