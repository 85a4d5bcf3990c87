break everybody_is_here
continue
info threads
thread apply all -ascending bt -frame-arguments none
thread 3
print $xmm5.v2_int64[1] = 77
print $xmm5.v2_int64[0] = 3
print $xmm5.v2_int64
print $r15 = 5
info registers r15
print go_on = 1
delete
continue
