/* Remembers what is safe on disk. Loaded into a process (LD_PRELOAD), it copies aside, at every fsync and fdatasync
 * below one folder, the state that was flushed: a file's bytes and mode, or a folder's names. `powerloss.py` puts the
 * folder back to that state, which is all that a power cut is bound to leave.
 *
 * POWERLOSS_ROOT: the folder that is watched. POWERLOSS_SAFE: where states are kept, outside of it:
 *   f-ID  the bytes and mode of a file        d-ID  the names in a folder, one line "f|d ID NAME" each
 * ID is the inode with its time of birth, for an inode number is used again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ID_LENGTH 64

typedef int (*flush_call)(int);

static void fail(const char *what) {
    perror(what);
    abort();
}

static int identify(int folder, const char *name, int flags, char id[ID_LENGTH], mode_t *mode) {
    struct statx found;
    if (statx(folder, name, flags | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return -1;
    snprintf(id, ID_LENGTH, "%llu-%lld-%u", (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
             found.stx_btime.tv_nsec);
    *mode = found.stx_mode;
    return 0;
}

static int watched(int descriptor, const char *root) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(root);
    return strncmp(path, root, prefix) == 0 && (path[prefix] == 0 || path[prefix] == '/');
}

static void copy_bytes(int descriptor, int sink) {
    char link[64], block[1 << 16];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int source = open(link, O_RDONLY | O_CLOEXEC); /* the caller's may be for writing only */
    if (source < 0) fail("powerloss: open");
    for (ssize_t size; (size = read(source, block, sizeof block)) > 0;)
        if (write(sink, block, (size_t)size) != size) fail("powerloss: write");
    close(source);
}

static void copy_names(int descriptor, int sink) {
    int again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    if (folder == NULL) fail("powerloss: opendir");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char id[ID_LENGTH];
        mode_t mode;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (identify(descriptor, entry->d_name, 0, id, &mode) != 0) continue;
        dprintf(sink, "%c %s %s\n", S_ISDIR(mode) ? 'd' : 'f', id, entry->d_name);
    }
    closedir(folder);
}

static void remember(int descriptor) {
    const char *root = getenv("POWERLOSS_ROOT"), *safe = getenv("POWERLOSS_SAFE");
    char id[ID_LENGTH], lock[PATH_MAX], part[PATH_MAX], whole[PATH_MAX];
    mode_t mode;
    if (root == NULL || safe == NULL || !watched(descriptor, root)) return;
    if (identify(descriptor, "", AT_EMPTY_PATH, id, &mode) != 0) return;
    if (!S_ISREG(mode) && !S_ISDIR(mode)) return;
    snprintf(lock, sizeof lock, "%s/lock", safe);
    snprintf(part, sizeof part, "%s/part-%ld", safe, syscall(SYS_gettid));
    snprintf(whole, sizeof whole, "%s/%c-%s", safe, S_ISDIR(mode) ? 'd' : 'f', id);
    int turn = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* or an older copy could take a newer one's place */
    if (turn < 0 || flock(turn, LOCK_EX) != 0) fail("powerloss: lock");
    int sink = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (sink < 0) fail("powerloss: create");
    if (S_ISDIR(mode)) copy_names(descriptor, sink);
    else copy_bytes(descriptor, sink);
    if (fchmod(sink, mode & 07777) != 0 || close(sink) != 0 || rename(part, whole) != 0) fail("powerloss: keep");
    close(turn);
}

static int flush(const char *name, int descriptor) {
    flush_call real = (flush_call)dlsym(RTLD_NEXT, name);
    int result = real(descriptor);
    if (result == 0) remember(descriptor);
    return result;
}

int fsync(int descriptor) { return flush("fsync", descriptor); }

int fdatasync(int descriptor) { return flush("fdatasync", descriptor); }
