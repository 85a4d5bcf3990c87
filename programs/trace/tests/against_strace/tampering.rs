//! Calls that are tampered with.

use crate::support::same;

#[test]
fn calls_are_tampered_with() {
    for injection in [
        "inject=openat:error=ENOENT",
        "inject=read:error=EIO:when=2",
        "inject=read:retval=0",
        "inject=getuid:retval=0x7fff",
        "inject=write:error=5",
        "inject=openat,read:error=EACCES:when=1+2",
        "inject=uname:delay_enter=1000",
        "inject=uname:delay_exit=1ms",
        "inject=getuid:signal=USR1",
        "inject=openat:signal=SIGTERM",
        "inject=getpid:syscall=getuid:retval=9",
        "inject=uname:poke_exit=@arg1=41004200",
        "fault=openat",
        "fault=openat:error=EMFILE:when=1",
    ] {
        same("inject", &["-e", injection, "busybox", "cat", "dir/one"]);
        same("inject", &["-e", injection, "busybox", "id", "-u"]);
        same("inject", &["-e", injection, "busybox", "uname", "-n"]);
    }
}

#[test]
fn an_injection_counts_for_each_task() {
    let script = "busybox cat dir/one; busybox cat dir/one; cat dir/one";
    same(
        "inject_tasks",
        &[
            "-f",
            "-e",
            "inject=openat:error=EPERM:when=1",
            "busybox",
            "sh",
            "-c",
            script,
        ],
    );
}
