// What glibc's allocator can be asked is not part of Swift's Glibc module.
#pragma once
#include <malloc.h>
