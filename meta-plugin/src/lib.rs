//! Several networks for each pod, as NetworkAttachmentDefinitions say.
