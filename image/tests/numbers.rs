//! The numbers that `rt` and the root task are written with are those of the kernel that is built.
//!
//! Each check is a C expression over the kernel's own headers, generated ones included, and the value it must have. One C program
//! holds them all: it prints those that fail.
//!
//! What no header says is not checked here: the processor's page-fault codes, the order of the registers in a message and the flag of
//! `WriteRegisters`, which procmgr's self-test on the kernel covers.

use std::fs;
use std::mem::{MaybeUninit, offset_of};
use std::process::Command;

use image::host;
use image::kernel::{self, Options};
use rt::KernelError;
use rt::cap::{self, BreakOn, CPtr, IoPort, ObjectType, Rights, guard};
use rt::fault::{self, Fault};
use rt::invoke::LABELS;
use rt::ipc_buffer::{self, IpcBuffer, MAX_WORDS};
use rt::syscall::{MessageInfo, Received, Words, number};
use rt::{layout, slots};

#[path = "../init/src/bootinfo.rs"]
#[allow(dead_code)]
mod bootinfo;

const HEADERS: &str = "
#include <config.h>
#include <types.h>
#include <api/types.h>
#include <api/constants.h>
#include <api/errors.h>
#include <api/faults.h>
#include <api/objecttype.h>
#include <api/syscall.h>
#include <api/bootinfo_types.h>
#include <arch/api/types.h>
#include <arch/api/invocation.h>
#include <machine/registerset.h>
#include <object/structures.h>
extern int dprintf(int, const char *, ...);
";

/// C expressions, each with the value it must have.
#[derive(Default)]
struct Checks(Vec<(String, i128)>);

impl Checks {
    fn add(&mut self, expression: impl Into<String>, value: impl Into<i128>) {
        self.0.push((expression.into(), value.into()));
    }

    /// The checks that fail, as lines.
    fn failures(&self, options: Options) -> String {
        let kernel = kernel::build(&options).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let (source, program) = (scratch.path().join("a.c"), scratch.path().join("a"));
        let mut text = format!("{HEADERS}\nint main(void) {{\n");
        for (expression, value) in &self.0 {
            text += &format!(
                "    if ((long)({expression}) != (long){value}) dprintf(1, \"%s\\n\", \"{expression} is not {value}\");\n"
            );
        }
        fs::write(&source, text + "    return 0;\n}\n").unwrap();
        let mut gcc = Command::new("gcc");
        gcc.current_dir(&kernel.headers)
            .args(["-O1", "-w", "-nostdinc", "--std=gnu99", "-o"])
            .arg(&program)
            .args(kernel::header_flags(&options).unwrap())
            .arg(&source);
        host::run(&mut gcc).unwrap();
        host::output(program.to_str().unwrap(), [""; 0]).unwrap()
    }
}

#[track_caller]
fn hold(fill: impl Fn(&mut Checks)) {
    let mut checks = Checks::default();
    fill(&mut checks);
    assert!(!checks.0.is_empty());
    for debug in [false, true] {
        assert_eq!(checks.failures(Options { debug }), "", "debug: {debug}");
    }
}

#[test]
fn a_wrong_number_is_noticed() {
    let mut checks = Checks::default();
    checks.add("seL4_RangeError", 5);
    checks.add("seL4_RangeError", 4);
    assert_eq!(
        checks.failures(Options::default()).trim(),
        "seL4_RangeError is not 5"
    );
}

#[test]
fn invocation_labels() {
    hold(|checks| {
        for &(name, value) in LABELS {
            checks.add(name, value);
        }
    });
}

#[test]
fn system_call_numbers() {
    hold(|checks| {
        checks.add("SysCall", number::CALL);
        checks.add("SysReplyRecv", number::REPLY_RECV);
        checks.add("SysSend", number::SEND);
        checks.add("SysNBSend", number::NB_SEND);
        checks.add("SysRecv", number::RECV);
        checks.add("SysReply", number::REPLY);
        checks.add("SysYield", number::YIELD);
        checks.add("SysNBRecv", number::NB_RECV);
    });
}

#[test]
fn errors() {
    hold(|checks| {
        for label in 1..=10u64 {
            let error = KernelError::from_label(label);
            checks.add(format!("seL4_{error:?}"), label);
        }
        checks.add("seL4_NumErrors", 11);
    });
}

#[test]
fn messages() {
    hold(|checks| {
        for (label, caps, words) in [(0xf_ffff, 3, 120), (1, 0, 0), (0, 1, 0), (0, 0, 1)] {
            let info = MessageInfo::new(label, caps, words);
            assert_eq!((info.label(), info.words()), (label, words));
            assert_eq!(info.has_cap(), caps > 0);
            checks.add(
                format!("seL4_MessageInfo_new({label}, 0, {caps}, {words}).words[0]"),
                info.0,
            );
        }
        checks.add("n_msgRegisters", (size_of::<Words>() / 8) as u64);
        checks.add("seL4_MsgMaxLength", MAX_WORDS as u64);
        let fields = [
            ("msg", offset_of!(IpcBuffer, words)),
            ("caps_or_badges", offset_of!(IpcBuffer, caps)),
            ("receiveCNode", offset_of!(IpcBuffer, receive_cnode)),
            ("receiveIndex", offset_of!(IpcBuffer, receive_index)),
            ("receiveDepth", offset_of!(IpcBuffer, receive_depth)),
        ];
        for (name, offset) in fields {
            checks.add(
                format!("__builtin_offsetof(seL4_IPCBuffer, {name})"),
                offset as u64,
            );
        }
        checks.add("sizeof(seL4_IPCBuffer)", size_of::<IpcBuffer>() as u64);
        checks.add(
            "n_frameRegisters + n_gpRegisters",
            abi::regs::REGS_WORDS as u64,
        );
    });
}

/// What a message is decoded to whose words are 100, 101 and so on.
fn decoded(label: u64, words: Words, length: usize) -> Fault {
    let buffer = Box::leak(Box::new(MaybeUninit::<IpcBuffer>::zeroed()));
    // SAFETY: words may be zero.
    let buffer = unsafe { buffer.assume_init_mut() };
    for (at, word) in buffer.words.iter_mut().enumerate() {
        *word = 100 + at as u64;
    }
    // SAFETY: it is leaked, so it stays, and nobody else knows of it. Only one test uses it.
    unsafe { ipc_buffer::set(buffer) };
    Fault::decode(&Received {
        badge: 1,
        info: MessageInfo::new(label, 0, length),
        words,
    })
}

#[test]
fn faults() {
    use fault::{label, reason};
    hold(|checks| {
        checks.add("seL4_Fault_CapFault", label::CAP);
        checks.add("seL4_Fault_UnknownSyscall", label::UNKNOWN_SYSCALL);
        checks.add("seL4_Fault_UserException", label::EXCEPTION);
        checks.add("seL4_Fault_DebugException", label::DEBUG);
        checks.add("seL4_Fault_VMFault", label::PAGE);
        checks.add("seL4_DataBreakpoint", reason::BREAKPOINT);
        checks.add("seL4_SingleStep", reason::STEP);
        checks.add("seL4_SoftwareBreakRequest", reason::INT3);

        let words = [100, 101, 102, 103];
        let Fault::Cap { ip, address } = decoded(label::CAP, words, 7) else {
            panic!()
        };
        checks.add("100 + seL4_CapFault_IP", ip);
        checks.add("100 + seL4_CapFault_Addr", address);
        let Fault::UnknownSyscall { ip } = decoded(label::UNKNOWN_SYSCALL, words, 19) else {
            panic!()
        };
        checks.add("100 + seL4_UnknownSyscall_FaultIP", ip);
        checks.add("seL4_UnknownSyscall_Length", 19);
        let Fault::Exception { ip, vector, code } = decoded(label::EXCEPTION, words, 5) else {
            panic!()
        };
        checks.add("100 + seL4_UserException_FaultIP", ip);
        checks.add("100 + seL4_UserException_Number", vector);
        checks.add("100 + seL4_UserException_Code", code);
        checks.add("seL4_UserException_Length", 5);
        let Fault::Page { ip, address, code } = decoded(label::PAGE, words, 4) else {
            panic!()
        };
        checks.add("100 + seL4_VMFault_IP", ip);
        checks.add("100 + seL4_VMFault_Addr", address);
        checks.add("100 + seL4_VMFault_FSR", code);
        checks.add("seL4_VMFault_Length", 4);
        let words = [100, reason::BREAKPOINT, 102, 103];
        let Fault::Breakpoint { ip, status } = decoded(label::DEBUG, words, 4) else {
            panic!()
        };
        checks.add("100 + seL4_DebugException_FaultIP", ip);
        checks.add("seL4_DebugException_ExceptionReason", 1);
        checks.add("100 + seL4_DebugException_TriggerAddress", status);
        checks.add("seL4_DebugException_Length", 4);
    });
}

#[test]
fn objects() {
    use ObjectType::*;
    hold(|checks| {
        let kinds = [
            (Untyped, "seL4_UntypedObject", "0"),
            (Tcb, "seL4_TCBObject", "seL4_TCBBits"),
            (Endpoint, "seL4_EndpointObject", "seL4_EndpointBits"),
            (
                Notification,
                "seL4_NotificationObject",
                "seL4_NotificationBits",
            ),
            (CNode, "seL4_CapTableObject", "seL4_SlotBits"),
            (Pdpt, "seL4_X86_PDPTObject", "seL4_PDPTBits"),
            (Pml4, "seL4_X64_PML4Object", "seL4_PML4Bits"),
            (Page4K, "seL4_X86_4K", "seL4_PageBits"),
            (Page2M, "seL4_X86_LargePageObject", "seL4_LargePageBits"),
            (PageTable, "seL4_X86_PageTableObject", "seL4_PageTableBits"),
            (Pd, "seL4_X86_PageDirectoryObject", "seL4_PageDirBits"),
        ];
        for (kind, name, bits) in kinds {
            checks.add(name, kind as u64);
            checks.add(bits, kind.bits(0));
        }
        checks.add("seL4_ObjectTypeCount", kinds.len() as u64);
        checks.add("BIT(seL4_PageBits)", layout::PAGE);
        checks.add("BIT(seL4_LargePageBits)", layout::LARGE_PAGE);
        checks.add("nASIDPools", slots::procmgr::ASID_POOLS);
    });
}

#[test]
fn rights_and_attributes() {
    hold(|checks| {
        checks.add("seL4_AllRights.words[0]", cap::ALL_RIGHTS);
        checks.add("seL4_CanRead.words[0]", cap::READ);
        checks.add("seL4_NoRead.words[0]", cap::SEND);
        checks.add("seL4_CanRead.words[0]", Rights::READ.word());
        checks.add("seL4_ReadWrite.words[0]", Rights::READ_WRITE.word());
        checks.add("vm_attributes_new(0, 0, 0).words[0]", cap::WRITE_BACK);
        let ports = IoPort::range(0x3f8, 0x3ff);
        let as_data = format!("(io_port_capdata_t){{.words = {{{ports}}}}}");
        checks.add(format!("io_port_capdata_get_firstPort({as_data})"), 0x3f8);
        checks.add(format!("io_port_capdata_get_lastPort({as_data})"), 0x3ff);
        let data = guard(0x2_5a5a, 41);
        let as_data = format!("(cnode_capdata_t){{.words = {{{data}}}}}");
        checks.add(format!("cnode_capdata_get_guard({as_data})"), 0x2_5a5a);
        checks.add(format!("cnode_capdata_get_guardSize({as_data})"), 41);
    });
}

#[test]
fn breakpoints() {
    hold(|checks| {
        let [kind, ..] = BreakOn::Execute.arguments();
        checks.add("seL4_InstructionBreakpoint", kind);
        let [kind, size, access] = BreakOn::Write(4).arguments();
        assert_eq!(size, 4);
        checks.add("seL4_DataBreakpoint", kind);
        checks.add("seL4_BreakOnWrite", access);
        let [kind, _, access] = BreakOn::Access(4).arguments();
        checks.add("seL4_DataBreakpoint", kind);
        checks.add("seL4_BreakOnReadWrite", access);
    });
}

#[test]
fn what_the_root_task_is_told() {
    use bootinfo::{BootInfo, UntypedMemory};
    hold(|checks| {
        let caps: [(&str, CPtr); 6] = [
            ("seL4_CapInitThreadCNode", bootinfo::ROOT.0),
            ("seL4_CapInitThreadVSpace", bootinfo::SPACE.0),
            ("seL4_CapIRQControl", bootinfo::IRQ_CONTROL.0),
            ("seL4_CapASIDControl", bootinfo::ASID_CONTROL.0),
            ("seL4_CapInitThreadASIDPool", bootinfo::ASID_POOL.0),
            ("seL4_CapIOPort", bootinfo::IO_PORTS.0),
        ];
        for (name, cap) in caps {
            checks.add(name, cap.0);
        }
        // The root task moves its own TCB out of the slot in which a server has the log.
        checks.add("seL4_CapInitThreadTCB", slots::LOG);
        let fields = [
            ("ipcBuffer", offset_of!(BootInfo, ipc_buffer)),
            ("empty", offset_of!(BootInfo, empty)),
            ("userImageFrames", offset_of!(BootInfo, user_image_frames)),
            ("archInfo", offset_of!(BootInfo, arch_info)),
            ("untyped", offset_of!(BootInfo, untyped)),
            ("untypedList", offset_of!(BootInfo, untyped_list)),
        ];
        for (name, offset) in fields {
            checks.add(
                format!("__builtin_offsetof(seL4_BootInfo, {name})"),
                offset as u64,
            );
        }
        let fields = [
            ("paddr", offset_of!(UntypedMemory, address)),
            ("sizeBits", offset_of!(UntypedMemory, bits)),
            ("isDevice", offset_of!(UntypedMemory, device)),
        ];
        for (name, offset) in fields {
            checks.add(
                format!("__builtin_offsetof(seL4_UntypedDesc, {name})"),
                offset as u64,
            );
        }
        checks.add("sizeof(seL4_BootInfo)", size_of::<BootInfo>() as u64);
        checks.add(
            "CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS",
            bootinfo::MAX_UNTYPEDS as u64,
        );
    });
}
