// Preloaded into a server: below the folder FAILING_DISK every change fails with the error number that the file
// FAILING_DISK_ERROR holds, for as long as there is that file. Reads go on. That is a disk which the kernel has made
// read-only under a running process, or one that fails to write; no mount can be made so while files are open on it.
// It can hang, too: see wait_if_told().
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int current_error(void) {
  const char* flag = getenv("FAILING_DISK_ERROR");
  if (!flag) return 0;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[16] = {0};
  const long size = syscall(SYS_read, fd, text, sizeof(text) - 1);
  syscall(SYS_close, fd);
  return size > 0 ? atoi(text) : 0;
}

static int below(const char* path) {
  const char* folder = getenv("FAILING_DISK");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int path_of(int fd, const char* name, char* out, size_t size) {
  if (name && name[0] == '/') return snprintf(out, size, "%s", name) > 0;
  char link[64], base[3000];
  if (fd == AT_FDCWD)
    snprintf(link, sizeof(link), "/proc/self/cwd");
  else
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, base, sizeof(base) - 1);
  if (length < 0) return 0;
  base[length] = '\0';
  return snprintf(out, size, name ? "%s/%s" : "%s", base, name) > 0;
}

// Whether a change there fails now; sets errno.
static int fails(int fd, const char* name) {
  char path[4096];
  const int before = errno;
  const int error = path_of(fd, name, path, sizeof(path)) && below(path) ? current_error() : 0;
  errno = error ? error : before;
  return error != 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// While there is a file FAILING_DISK_WAITS, whoever opens a file whose path ends with the text that it holds waits.
static void wait_if_told(int fd, const char* name) {
  char path[4096], ending[256], seen[4096];
  const char* flag = getenv("FAILING_DISK_WAITS");
  const int before = errno;
  while (flag && path_of(fd, name, path, sizeof(path)) && below(path)) {
    const int told = (int)syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY | O_CLOEXEC);
    if (told < 0) break;
    const long size = syscall(SYS_read, told, ending, sizeof(ending));
    syscall(SYS_close, told);
    const size_t length = strlen(path);
    if (size <= 0 || (size_t)size > length || memcmp(path + length - (size_t)size, ending, (size_t)size) != 0) break;
    snprintf(seen, sizeof(seen), "%s.reached", flag);
    syscall(SYS_close, (int)syscall(SYS_openat, AT_FDCWD, seen, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    usleep(5000);
  }
  errno = before;
}

static int changes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)); }

static int real_openat(int fd, const char* path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, fd, path, flags | O_LARGEFILE, mode);
}

#define OPEN_AT(name)                                                             \
  int name(int fd, const char* path, int flags, ...) {                            \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                                 \
    if (changes(flags) && fails(fd, path)) return -1;                             \
    wait_if_told(fd, path);                                                       \
    return real_openat(fd, path, flags, mode);                                    \
  }
#define OPEN(name)                                                                \
  int name(const char* path, int flags, ...) {                                    \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                                 \
    if (changes(flags) && fails(AT_FDCWD, path)) return -1;                       \
    wait_if_told(AT_FDCWD, path);                                                 \
    return real_openat(AT_FDCWD, path, flags, mode);                              \
  }
OPEN_AT(openat)
OPEN_AT(openat64)
OPEN(open)
OPEN(open64)

FILE* fopen(const char* path, const char* mode) {
  return mode[0] != 'r' && fails(AT_FDCWD, path) ? NULL : REAL(fopen)(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return mode[0] != 'r' && fails(AT_FDCWD, path) ? NULL : REAL(fopen64)(path, mode);
}
ssize_t write(int fd, const void* data, size_t size) { return fails(fd, NULL) ? -1 : REAL(write)(fd, data, size); }
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return fails(fd, NULL) ? -1 : REAL(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return fails(fd, NULL) ? -1 : REAL(pwrite64)(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return fails(fd, NULL) ? -1 : REAL(writev)(fd, parts, count);
}
int ftruncate(int fd, off_t size) { return fails(fd, NULL) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails(fd, NULL) ? -1 : REAL(ftruncate64)(fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) {
  return fails(fd, NULL) ? -1 : REAL(fallocate)(fd, mode, at, size);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  return fails(fd, NULL) ? -1 : REAL(fallocate64)(fd, mode, at, size);
}
int mkdir(const char* path, mode_t mode) { return fails(AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode); }
int mkdirat(int fd, const char* path, mode_t mode) { return fails(fd, path) ? -1 : REAL(mkdirat)(fd, path, mode); }
int unlink(const char* path) { return fails(AT_FDCWD, path) ? -1 : REAL(unlink)(path); }
int unlinkat(int fd, const char* path, int flags) { return fails(fd, path) ? -1 : REAL(unlinkat)(fd, path, flags); }
int rmdir(const char* path) { return fails(AT_FDCWD, path) ? -1 : REAL(rmdir)(path); }
int remove(const char* path) { return fails(AT_FDCWD, path) ? -1 : REAL(remove)(path); }
int rename(const char* from, const char* to) { return fails(AT_FDCWD, to) ? -1 : REAL(rename)(from, to); }
int renameat(int from_fd, const char* from, int to_fd, const char* to) {
  return fails(to_fd, to) ? -1 : REAL(renameat)(from_fd, from, to_fd, to);
}
int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned int flags) {
  return fails(to_fd, to) ? -1 : REAL(renameat2)(from_fd, from, to_fd, to, flags);
}
int link(const char* from, const char* to) { return fails(AT_FDCWD, to) ? -1 : REAL(link)(from, to); }
