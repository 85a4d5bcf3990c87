set follow-fork-mode child
break in_child
break in_parent
catch fork
continue
continue
bt
info inferiors
watch global
continue
info registers rip
stepi
finish
continue
