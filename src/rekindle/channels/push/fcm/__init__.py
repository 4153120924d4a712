"""Firebase Cloud Messaging, which reaches apps on Android and, by Apple's service, on iOS."""
