# propagation.sh — for tests that mount what nobody else shall see: sets PROPAGATION for unshare --mount, or fails where the kernel refuses.
# In a chroot the root is no mount point whose propagation could be changed; what holds there is then left as it is.
PROPAGATION=private
unshare -m --propagation private true 2>/dev/null || PROPAGATION=unchanged
unshare -m --propagation $PROPAGATION true 2>/dev/null
