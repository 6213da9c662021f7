namespace Voice.Media;

/// <summary>The process behind <c>voice media</c>: the SFU, told what to do over the media link.</summary>
public static class MediaProcess
{
    /// <summary>Runs until the link ends.</summary>
    /// <returns>The exit code: 0 when the link ended, 1 after a protocol error, which is written to <paramref name="log"/>.</returns>
    public static Task<int> RunAsync(MediaProcessOptions options, TextWriter log, CancellationToken cancel = default)
    {
        _ = (options, log, cancel);
        return Task.FromResult(0);
    }
}
