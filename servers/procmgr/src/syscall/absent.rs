//! Calls of parts of Linux that it can be built without, and that are not here: ENOSYS, as there.

use abi::linux::general as g;

/// See docs/differences.md for what they are about.
const ABSENT: &[u32] = &[
    // glibc asks and does without.
    g::__NR_rseq,
    // System V and POSIX message queues, semaphores, shared memory.
    g::__NR_shmget,
    g::__NR_shmat,
    g::__NR_shmctl,
    g::__NR_shmdt,
    g::__NR_semget,
    g::__NR_semop,
    g::__NR_semctl,
    g::__NR_semtimedop,
    g::__NR_msgget,
    g::__NR_msgsnd,
    g::__NR_msgrcv,
    g::__NR_msgctl,
    g::__NR_mq_open,
    g::__NR_mq_unlink,
    g::__NR_mq_timedsend,
    g::__NR_mq_timedreceive,
    g::__NR_mq_notify,
    g::__NR_mq_getsetattr,
    // Asynchronous I/O.
    g::__NR_io_setup,
    g::__NR_io_destroy,
    g::__NR_io_submit,
    g::__NR_io_cancel,
    g::__NR_io_getevents,
    g::__NR_io_pgetevents,
    g::__NR_io_uring_setup,
    g::__NR_io_uring_enter,
    g::__NR_io_uring_register,
    // Keys.
    g::__NR_add_key,
    g::__NR_request_key,
    g::__NR_keyctl,
    // Nodes of memory.
    g::__NR_mbind,
    g::__NR_set_mempolicy,
    g::__NR_get_mempolicy,
    g::__NR_set_mempolicy_home_node,
    g::__NR_migrate_pages,
    g::__NR_move_pages,
    // Memory by other means.
    g::__NR_remap_file_pages,
    g::__NR_userfaultfd,
    g::__NR_memfd_secret,
    g::__NR_process_madvise,
    g::__NR_process_mrelease,
    g::__NR_cachestat,
    g::__NR_mseal,
    g::__NR_map_shadow_stack,
    // Futexes of several words.
    g::__NR_futex_waitv,
    g::__NR_futex_wake,
    g::__NR_futex_wait,
    g::__NR_futex_requeue,
    // Programs in the kernel, counters, filters, watchers.
    g::__NR_bpf,
    g::__NR_perf_event_open,
    g::__NR_seccomp,
    g::__NR_fanotify_init,
    g::__NR_fanotify_mark,
    g::__NR_landlock_create_ruleset,
    g::__NR_landlock_add_rule,
    g::__NR_landlock_restrict_self,
    g::__NR_lsm_get_self_attr,
    g::__NR_lsm_set_self_attr,
    g::__NR_lsm_list_modules,
    // Modules and other kernels.
    g::__NR_init_module,
    g::__NR_finit_module,
    g::__NR_delete_module,
    g::__NR_kexec_load,
    g::__NR_kexec_file_load,
    // Disk quotas.
    g::__NR_quotactl,
    g::__NR_quotactl_fd,
    // Mounts as objects.
    g::__NR_open_tree,
    g::__NR_open_tree_attr,
    g::__NR_move_mount,
    g::__NR_fsopen,
    g::__NR_fsconfig,
    g::__NR_fsmount,
    g::__NR_fspick,
    g::__NR_mount_setattr,
    g::__NR_statmount,
    g::__NR_listmount,
    // Ports and segments.
    g::__NR_iopl,
    g::__NR_ioperm,
    g::__NR_modify_ldt,
    g::__NR_set_thread_area,
    g::__NR_get_thread_area,
    // Attributes of files by other names.
    g::__NR_setxattrat,
    g::__NR_getxattrat,
    g::__NR_listxattrat,
    g::__NR_removexattrat,
    g::__NR_file_getattr,
    g::__NR_file_setattr,
    // What Linux itself does not have any more, or never had.
    g::__NR_uselib,
    g::__NR_sysfs,
    g::__NR__sysctl,
    g::__NR_create_module,
    g::__NR_get_kernel_syms,
    g::__NR_query_module,
    g::__NR_nfsservctl,
    g::__NR_getpmsg,
    g::__NR_putpmsg,
    g::__NR_afs_syscall,
    g::__NR_tuxcall,
    g::__NR_security,
    g::__NR_lookup_dcookie,
    g::__NR_epoll_ctl_old,
    g::__NR_epoll_wait_old,
    g::__NR_vserver,
];

/// Whether a call is known not to be here.
pub fn is_absent(nr: u32) -> bool {
    ABSENT.contains(&nr)
}
