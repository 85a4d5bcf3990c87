# Files are put into the target, read back, and deleted.
# program: basics
python
import os
here, there = (str(gdb.convenience_variable(v).string()) for v in ("here", "there"))
contents = bytes(range(256)) * 300
open(here + "/sent", "wb").write(contents)
gdb.execute("remote put %s/sent %s/put" % (here, there))
gdb.execute("remote get %s/put %s/got" % (there, here))
print("as it was sent", open(here + "/got", "rb").read() == contents)
gdb.execute("remote delete %s/put" % there)
end
eval "remote get %s/put %s/got", $there, $here
eval "remote delete %s/put", $there
eval "remote put %s/sent %s/no/such/folder", $here, $there
