//! What /proc tells of the machine.

use crate::host::{Host, Port};
use abi::Errno;
use abi::fs::SystemInfo;
use alloc::format;
use alloc::string::String;

/// A file that is no task's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SystemFile {
    Cmdline,
    CorePattern,
    CoreUsesPid,
    Cpuinfo,
    Filesystems,
    Hostname,
    KernelVersion,
    Loadavg,
    Meminfo,
    NgroupsMax,
    Osrelease,
    Ostype,
    PidMax,
    RandomizeVaSpace,
    Stat,
    Stillpoint,
    Uptime,
    Version,
}

/// What /proc/PID/mounts says.
pub(super) const MOUNTS: &str = "archive / ramfs ro 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n\
                                 proc /proc proc rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n";

/// proc_pid_mountinfo(5); the device numbers are st_dev's.
pub(super) const MOUNTINFO: &str = "1 1 0:1 / / ro - ramfs archive ro\n\
                                    2 1 0:2 / /dev rw - devtmpfs devtmpfs rw\n\
                                    3 1 0:3 / /tmp rw - tmpfs tmpfs rw\n\
                                    4 1 0:4 / /proc rw - proc proc rw\n";

/// What a Nehalem says, as QEMU has it; programs read the flags and the count.
const CPUINFO: &str = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n\
    model\t\t: 26\nmodel name\t: Intel Core i7 9xx (Nehalem Class Core i7)\nstepping\t: 3\n\
    cpu MHz\t\t: 1000.000\ncache size\t: 16384 KB\nphysical id\t: 0\nsiblings\t: 1\n\
    core id\t\t: 0\ncpu cores\t: 1\napicid\t\t: 0\nfpu\t\t: yes\nfpu_exception\t: yes\n\
    cpuid level\t: 11\nwp\t\t: yes\nflags\t\t: fpu de pse tsc msr pae mce cx8 apic sep mtrr pge \
    mca cmov pat pse36 clflush mmx fxsr sse sse2 lm constant_tsc pni ssse3 cx16 sse4_1 sse4_2 \
    popcnt lahf_lm\nbogomips\t: 2000.00\nclflush size\t: 64\ncache_alignment\t: 64\n\
    address sizes\t: 40 bits physical, 48 bits virtual\n\n";

impl SystemFile {
    /// Its path below /proc.
    pub fn path(self) -> &'static str {
        match self {
            SystemFile::Cmdline => "cmdline",
            SystemFile::CorePattern => "sys/kernel/core_pattern",
            SystemFile::CoreUsesPid => "sys/kernel/core_uses_pid",
            SystemFile::Cpuinfo => "cpuinfo",
            SystemFile::Filesystems => "filesystems",
            SystemFile::Hostname => "sys/kernel/hostname",
            SystemFile::KernelVersion => "sys/kernel/version",
            SystemFile::Loadavg => "loadavg",
            SystemFile::Meminfo => "meminfo",
            SystemFile::NgroupsMax => "sys/kernel/ngroups_max",
            SystemFile::Osrelease => "sys/kernel/osrelease",
            SystemFile::Ostype => "sys/kernel/ostype",
            SystemFile::PidMax => "sys/kernel/pid_max",
            SystemFile::RandomizeVaSpace => "sys/kernel/randomize_va_space",
            SystemFile::Stat => "stat",
            SystemFile::Stillpoint => "stillpoint",
            SystemFile::Uptime => "uptime",
            SystemFile::Version => "version",
        }
    }

    /// What it says now. Names and numbers are those of uname(2).
    pub fn text<H: Host>(self, port: &mut Port<'_, H>) -> Result<String, Errno> {
        Ok(match self {
            SystemFile::Cmdline => "\n".into(),
            // The file server's own, which it tells itself.
            SystemFile::CorePattern | SystemFile::CoreUsesPid | SystemFile::Stillpoint => {
                return Err(Errno::EINVAL);
            }
            SystemFile::Cpuinfo => CPUINFO.into(),
            SystemFile::Filesystems => {
                "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tramfs\nnodev\tpipefs\n".into()
            }
            SystemFile::Hostname => "stillpoint\n".into(),
            SystemFile::KernelVersion => "#1 Stillpoint on seL4 5.0.0\n".into(),
            SystemFile::Loadavg => loadavg(&port.system()?),
            SystemFile::Meminfo => meminfo(&port.system()?),
            SystemFile::NgroupsMax => "65536\n".into(),
            SystemFile::Osrelease => "6.1.0-stillpoint\n".into(),
            SystemFile::Ostype => "Linux\n".into(),
            SystemFile::PidMax => "32768\n".into(),
            SystemFile::RandomizeVaSpace => "0\n".into(),
            SystemFile::Stat => {
                let system = port.system()?;
                let (monotonic, realtime) = port.time()?;
                stat(&system, monotonic, realtime)
            }
            SystemFile::Uptime => {
                let idle = idle(port.system()?.busy, port.time()?.0);
                let (up, idle) = (hundredths(port.time()?.0), hundredths(idle));
                format!("{up} {idle}\n")
            }
            SystemFile::Version => "Linux version 6.1.0-stillpoint (Stillpoint on seL4)\n".into(),
        })
    }
}

fn idle(busy: u64, monotonic: u64) -> u64 {
    monotonic.saturating_sub(busy)
}

fn hundredths(nanoseconds: u64) -> String {
    let hundredths = nanoseconds / 10_000_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// proc_loadavg(5). Nobody averages here: the load is what it is now.
fn loadavg(system: &SystemInfo) -> String {
    let (running, tasks, last) = (system.running, system.tasks, system.last_tid);
    format!("{running}.00 {running}.00 {running}.00 {running}/{tasks} {last}\n")
}

/// proc_meminfo(5). Memory that files take is not told apart from that of programs.
fn meminfo(system: &SystemInfo) -> String {
    let (total, free) = (system.memory_total / 1024, system.memory_free / 1024);
    let lines = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", total - free.min(total)),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", total - free.min(total)),
        ("Mapped", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
    ];
    let mut text = String::new();
    for (name, kilobytes) in lines {
        text += &format!("{:<15} {kilobytes:>8} kB\n", format!("{name}:"));
    }
    text
}

/// proc_stat(5): one processor, which runs programs or idles.
fn stat(system: &SystemInfo, monotonic: u64, realtime: u64) -> String {
    let user = system.busy / 10_000_000;
    let idle = idle(system.busy, monotonic) / 10_000_000;
    let started = realtime.saturating_sub(monotonic) / 1_000_000_000;
    format!(
        "cpu  {user} 0 0 {idle} 0 0 0 0 0 0\ncpu0 {user} 0 0 {idle} 0 0 0 0 0 0\nintr 0\nctxt 0\n\
         btime {started}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\n",
        system.last_tid, system.running
    )
}
