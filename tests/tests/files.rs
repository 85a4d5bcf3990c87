//! Programs and the file server.

use abi::linux::general as g;
use abi::signal::*;
use world::asm::{Is, exited};
use world::{Boot, Prog, Val, World, scenario, under_seeds};

#[test]
fn what_a_producer_writes_its_consumer_reads_up_to_the_end_of_file() {
    // More than a pipe holds, so that both wait for each other.
    const ROUNDS: u64 = 40;
    const PIECE: u64 = 3000;
    scenario(100, |p| {
        let (read, write, total) = (p.var(), p.var(), p.var());
        let (producer, consumer) = (p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.close(read);
            p.times(ROUNDS, |p| {
                p.write(write, buffer, PIECE);
                p.check(Val::Rax, PIECE);
            });
            p.exit(3);
        });
        p.store(producer);
        p.fork(|p| {
            p.close(write);
            p.forever(|p, end| {
                p.read(read, buffer, 4096);
                let n = p.var();
                p.store(n);
                p.when(n, Is::Equal, 0, |p| p.jump(end));
                p.check(n, n);
                p.when(n, Is::Less, 0, |p| p.exit(1));
                p.add(total, n);
            });
            p.check(total, ROUNDS * PIECE);
            p.exit(4);
        });
        p.store(consumer);
        p.close(read);
        p.close(write);
        p.wait_for(producer, exited(3));
        p.wait_for(consumer, exited(4));
    });
}

#[test]
fn a_producer_without_consumer_gets_sigpipe() {
    scenario(200, |p| {
        let (read, write, producer, consumer) = (p.var(), p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.close(read);
            p.forever(|p, _| p.write(write, buffer, 4096));
        });
        p.store(producer);
        p.fork(|p| {
            p.close(write);
            p.read(read, buffer, 100);
            p.exit(4);
        });
        p.store(consumer);
        p.close(read);
        p.close(write);
        p.wait_for(consumer, exited(4));
        p.wait_for(producer, SIGPIPE.into());
    });
}

#[test]
fn an_ignored_sigpipe_leaves_epipe() {
    scenario(100, |p| {
        let (read, write) = (p.var(), p.var());
        let buffer = p.page();
        p.ignore(SIGPIPE, true);
        p.pipe(read, write);
        p.close(read);
        p.write(write, buffer, 10);
        p.check(Val::Rax, -32);
        p.close(write);
    });
}

#[test]
fn a_signal_ends_a_blocked_read_with_eintr_or_restarts_it() {
    for (flags, result) in [(0, -4), (g::SA_RESTART, 1)] {
        scenario(200, |p| {
            let (read, write, child, seen) = (p.var(), p.var(), p.var(), p.var());
            let buffer = p.page();
            p.pipe(read, write);
            p.fork(|p| {
                p.on_signal(SIGUSR1, flags.into(), |p| p.add(seen, 1));
                p.write(write, buffer, 1);
                // Its own byte, and then none.
                p.read(read, buffer, 1);
                p.read(read, buffer, 1);
                p.check(Val::Rax, result);
                p.check(seen, 1);
                p.exit(4);
            });
            p.store(child);
            p.sleep(1_000_000);
            p.kill(child, SIGUSR1);
            p.sleep(1_000_000);
            p.write(write, buffer, 1);
            p.wait_for(child, exited(4));
        });
    }
}

#[test]
fn a_killed_reader_gives_its_end_back() {
    scenario(200, |p| {
        let (read, write, child) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.close(write);
            p.forever(|p, _| p.read(read, buffer, 100));
        });
        p.store(child);
        p.close(read);
        p.ignore(SIGPIPE, true);
        p.write(write, buffer, 10);
        p.kill(child, SIGKILL);
        p.wait_for(child, SIGKILL.into());
        p.write(write, buffer, 10);
        p.check(Val::Rax, -32);
    });
}

#[test]
fn a_file_of_tmp_is_written_mapped_and_removed() {
    scenario(100, |p| {
        let (fd, at, got) = (p.var(), p.var(), p.var());
        let path = p.string("/tmp/file");
        let bytes = p.bytes(b"12345678");
        let flags = g::O_CREAT | g::O_RDWR;
        p.sys(g::__NR_open, &[path.into(), flags.into(), 0o600.into()]);
        p.store(fd);
        p.write(fd, bytes, 8);
        p.check(Val::Rax, 8);
        let prot = g::PROT_READ | g::PROT_WRITE;
        let args = [
            0.into(),
            4096.into(),
            prot.into(),
            g::MAP_SHARED.into(),
            fd.into(),
            0.into(),
        ];
        p.sys(g::__NR_mmap, &args);
        p.store(at);
        p.close(fd);
        p.fork(|p| p.set_at(at, 99));
        p.store(got);
        p.wait_for(got, exited(0));
        p.sys(g::__NR_open, &[path.into(), g::O_RDONLY.into(), 0.into()]);
        p.store(fd);
        p.read(fd, got.0, 8);
        p.check(got, 99);
        p.sys(g::__NR_unlink, &[path.into()]);
        p.check(Val::Rax, 0);
        p.sys(g::__NR_munmap, &[at.into(), 4096.into()]);
    });
}

#[test]
fn what_is_typed_is_read() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            let buffer = p.page();
            p.read(0, buffer, 100);
            p.check(Val::Rax, 5);
            p.write(1, buffer, 5);
        }),
    )]);
    under_seeds(100, |seed| {
        let mut world = World::new(&boot, seed);
        let steps = seed % 50;
        while world.steps < steps && world.step() {}
        world.type_in(b"hello");
        assert_eq!(world.run_to_the_end(), exited(0));
        assert_eq!(world.output, b"hello");
    });
}
