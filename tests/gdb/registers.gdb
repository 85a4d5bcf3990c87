# Registers: general, flags, x87, SSE, and Linux's own.
# program: registers
break *&here
run
print/x $rbx
print $r12
print $xmm3.v2_double
print $xmm3.v4_int32
print $st0
print $st1
print $fctrl
print/x $ftag
print $mxcsr
print $orig_rax
print $fs_base != 0
print $gs_base
print/x $cs
print/x $ss
print $eflags & 0x200
set var $r12 = -3
set var $xmm3.v2_double[0] = 8.5
set var $st0 = 6.25
break look
continue
print seen_general
print seen_vector
print seen_stack
print $sp == $rsp
info registers rbx
print $eax
set var $eax = 5
print/x $rax
continue
