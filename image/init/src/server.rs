//! Making a server: address space, CSpace, thread.

use crate::bootinfo::{DEPTH, ROOT};
use crate::load;
use crate::map::TABLE;
use crate::memory::Memory;
use crate::objects::Objects;
use crate::space::{self, Space};
use abi::Regs;
use rt::boot::Startup;
use rt::cap::{CNode, ObjectType, Page, Rights, Tcb, guard};
use rt::layout::{HEAP, IPC_BUFFER, LARGE_PAGE, PAGE, STACK_SIZE, STACK_TOP, STARTUP};
use rt::slots::{self, SUPERVISOR};

/// The servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Tasks and memory.
    Procmgr,
    /// Engines and registers.
    Tracer,
    /// Files.
    Fs,
}

/// The priority of all servers and all tasks. One for all: only then does the kernel switch
/// straight from sender to receiver, and a task that computes leaves the servers their turn.
const PRIORITY: u8 = 100;

impl Server {
    /// All, in the order they are made in.
    pub const ALL: [Server; 3] = [Server::Procmgr, Server::Tracer, Server::Fs];

    /// Its badge at the supervisor.
    pub const fn badge(self) -> u64 {
        self as u64 + 1
    }

    /// The server with this badge.
    pub fn from_badge(badge: u64) -> Option<Server> {
        Server::ALL
            .into_iter()
            .find(|server| server.badge() == badge)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Server::Procmgr => "procmgr",
            Server::Tracer => "tracer",
            Server::Fs => "fs",
        }
    }

    /// Its program in the boot archive.
    pub const fn path(self) -> &'static str {
        match self {
            Server::Procmgr => "/boot/procmgr",
            Server::Tracer => "/boot/tracer",
            Server::Fs => "/boot/fs",
        }
    }

    /// The highest priority it may give: procmgr lets a thread overtake everybody for two
    /// instructions of its own.
    const fn max_priority(self) -> u8 {
        match self {
            Server::Procmgr => PRIORITY + 1,
            Server::Tracer | Server::Fs => PRIORITY,
        }
    }

    /// Its heap.
    const fn heap(self) -> u64 {
        LARGE_PAGE
            * match self {
                Server::Procmgr => 12,
                Server::Tracer => 4,
                Server::Fs => 8,
            }
    }
}

/// A server that was made.
pub struct Process {
    /// Which.
    pub server: Server,
    /// Its thread.
    pub tcb: Tcb,
    /// Its address space.
    pub space: Space,
    /// Its CSpace, without guard.
    pub cspace: CNode,
    /// The CNode with the slots that [`slots`] names, and how many bits choose one.
    pub slots: (CNode, u64),
    startup: Page,
    entry: u64,
}

impl Process {
    /// Makes a server from its program, with the capabilities of the table.
    pub fn new(memory: &mut Memory, objects: &Objects, server: Server, program: &[u8]) -> Process {
        let space = Space::new(memory);
        let entry = load::load(memory, space, program);
        for addr in (STACK_TOP - STACK_SIZE..STACK_TOP).step_by(PAGE as usize) {
            space.page(memory, addr, Rights::READ_WRITE, |_| {});
        }
        let buffer = space.page(memory, IPC_BUFFER, Rights::READ_WRITE, |_| {});
        space.large_pages(memory, HEAP, server.heap());

        let (cspace, slots, guard_bits) = cspace(memory, server);
        let guard = guard(0, guard_bits);
        for &(_, slot, source) in TABLE.iter().filter(|(owner, ..)| *owner == server) {
            let (cap, rights, data) = source.resolve(server, objects, (cspace.0, guard), space.0.0);
            let (node, depth) = slots;
            node.mint((slot, depth), ROOT, (cap.0, DEPTH), rights, data)
                .expect("the table names a slot once");
        }

        let tcb = Tcb(memory.object(ObjectType::Tcb, 0));
        let (cspace_and_guard, buffer) = ((cspace, guard), (IPC_BUFFER, buffer));
        tcb.configure(
            SUPERVISOR,
            PRIORITY,
            server.max_priority(),
            cspace_and_guard,
            space.0,
            buffer,
        )
        .expect("the thread is new");
        let startup = space.page(memory, STARTUP, Rights::READ, |_| {});
        Process {
            server,
            tcb,
            space,
            cspace,
            slots,
            startup,
            entry,
        }
    }

    /// Writes the startup page and lets the server run. Takes no memory.
    pub fn start(&self, machine: Option<rt::boot::Machine>) {
        let startup = Startup {
            heap: self.server.heap(),
            machine,
        };
        self.startup.unmap().expect("it is mapped");
        space::fill(self.startup, |page| {
            postcard::to_slice(&startup, page).expect("it fits a page");
        });
        self.startup
            .map(self.space.0, STARTUP, Rights::READ)
            .expect("it was mapped there");
        let regs = Regs {
            rip: self.entry,
            // As after a call.
            rsp: STACK_TOP - 8,
            rflags: 2,
            ..Regs::default()
        };
        self.tcb.write_registers(&regs, true);
    }
}

/// An empty CSpace: its root, the CNode for the named slots, and the bits of its guard.
fn cspace(memory: &mut Memory, server: Server) -> (CNode, (CNode, u64), u32) {
    let mut cnode = |bits| CNode(memory.object(ObjectType::CNode, bits));
    match server {
        Server::Procmgr => {
            use slots::procmgr::{GUARD_BITS, NODE_BITS, ROOT_BITS};
            let (root, node) = (cnode(ROOT_BITS), cnode(NODE_BITS));
            root.copy((0, ROOT_BITS as u64), ROOT, (node.0.0, DEPTH))
                .expect("the root is empty");
            (root, (node, NODE_BITS as u64), GUARD_BITS)
        }
        Server::Tracer => one_level(cnode(slots::tracer::NODE_BITS), slots::tracer::NODE_BITS),
        Server::Fs => one_level(cnode(slots::fs::NODE_BITS), slots::fs::NODE_BITS),
    }
}

fn one_level(node: CNode, bits: u32) -> (CNode, (CNode, u64), u32) {
    (node, (node, bits as u64), 64 - bits)
}
