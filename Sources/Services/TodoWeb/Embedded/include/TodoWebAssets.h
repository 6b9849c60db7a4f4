#ifndef TODO_WEB_ASSETS_H
#define TODO_WEB_ASSETS_H

#include <stddef.h>

typedef struct {
    /// Begins with "../Assets/".
    const char *_Nonnull path;
    const unsigned char *_Nonnull bytes;
    size_t length;
} todo_web_asset;

/// The files of the web page. They live as long as the program.
const todo_web_asset *_Nonnull todo_web_assets(void);
size_t todo_web_asset_count(void);

#endif
