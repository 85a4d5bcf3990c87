# Watchpoints in the debug registers: written, read, touched; four of them and no more.
# program: watch
break touch
run
watch one
rwatch two
awatch three
watch four[3]
info watchpoints
watch five
continue
delete 6
continue
continue
continue
continue
continue
info watchpoints
delete
watch unaligned[1] if unaligned[1] == 2
continue
delete
break local
continue
watch here
continue
continue
continue
continue
watch one if one > 50
continue
